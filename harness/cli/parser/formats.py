"""The option ``--format NAME[=FILE]``, which several commands have."""

from __future__ import annotations

import argparse

from harness.cli.parser.kinds import checked
from harness.cli.parser.line import Line
from harness.types import UsageError

STDOUT = ""
"""Stands for standard output, where a format names no file."""


def add_format(group: argparse._ActionsContainer, text: str, *, required: bool = False) -> None:
    """The option; ``options.format`` then holds pairs of a name and a file, or is None."""
    group.add_argument(
        "--format",
        type=checked(_format),
        action="append",
        required=required,
        metavar="NAME[=FILE]",
        help=text,
    )


def check_formats(line: Line, options: argparse.Namespace) -> None:
    """Refuses two formats on standard output, and two in one file."""
    wanted = options.format or ()
    to_stdout = [name for name, file in wanted if file == STDOUT]
    if len(to_stdout) > 1:
        line.error(f"{' and '.join(to_stdout)} cannot both go to standard output; name a file")
    files = [file for _, file in wanted if file != STDOUT]
    if twice := next((file for file in files if files.count(file) > 1), None):
        line.error(f"two formats cannot both go to {twice}")


def _format(text: str) -> tuple[str, str]:
    name, equals, file = text.partition("=")
    if equals and not file:
        raise UsageError(f"{text!r} names no file")
    return name, file
