"""`layerbench run`."""

from __future__ import annotations

import argparse

from harness import units
from harness.cli.parser.kinds import checked, path
from harness.cli.parser.line import Commands, Line
from harness.cli.parser.shared import (
    WHICH_CASES,
    add_effort,
    add_memory,
    add_which_cases,
    refuse,
    results,
    said,
    suite,
)

LATEST = object()
"""Stands for the latest run, where none is named."""


def add(commands: Commands) -> Line:
    """The command, for `check`."""
    run = commands.add_parser("run", parents=[suite(), results()], help="measure a sweep")
    # None stands for what was not said; what holds then is for the request to say.
    run.add_argument(
        "sweep",
        nargs="?",
        help="quick (default), standard, full, attention, attention_quick, example, or a file",
    )
    what = run.add_argument_group("what to measure (comma-separated; in place of the sweep's)")
    add_which_cases(what)
    how = run.add_argument_group("how long to look")
    add_effort(how)
    how.add_argument(
        "--budget",
        type=checked(units.parse_duration),
        metavar="10m",
        help="make as many passes as fit",
    )
    how.add_argument(
        "--rel-ci",
        type=checked(units.parse_fraction),
        metavar="1%",
        help="stop when the median's 95%% interval is within ± this",
    )
    memory = run.add_argument_group("what a case may take")
    add_memory(memory)
    memory.add_argument(
        "--no-skip",
        action="store_true",
        help="try a case even if it ran out of memory in a smaller size",
    )
    run.add_argument(
        "--strict",
        action="store_true",
        help="exit with 3 if a row fails a check of itself or the journal is damaged, too",
    )
    run.add_argument("--dry-run", action="store_true", help="print the cases and the time")
    run.add_argument(
        "--resume",
        type=checked(path),
        nargs="?",
        const=LATEST,
        metavar="RUN",
        help="go on with a run that was cut short (default: the latest)",
    )
    return run


def check(run: Line, options: argparse.Namespace) -> None:
    """Refuses options that another one leaves without effect."""
    typed = said(run, options)
    if options.resume is not None:
        idle = typed - {"command", "resume", "results", "strict", "suite"}
        refuse(run, options, idle, "--resume goes on with a run as it was planned")
    elif options.case:
        refuse(run, options, typed & WHICH_CASES, "a case id says all of what is measured")
