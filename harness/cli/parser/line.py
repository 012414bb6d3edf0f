"""The parser of one line: what argparse says of a mistake, in our words."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from typing import NoReturn, TypeAlias


class Line(argparse.ArgumentParser):
    """Says what is wrong in one line, with the nearest valid word."""

    def error(self, message: str) -> NoReturn:
        unknown = message.partition("unrecognized arguments: ")[2].split()
        if unknown and unknown[0].startswith("-"):
            known = [name for action in self._actions for name in action.option_strings]
            near = difflib.get_close_matches(unknown[0].split("=")[0], known, n=3)
            message = f"unknown option {unknown[0]}" + (
                f"; nearest: {', '.join(near)}" * bool(near)
            )
        if choice := re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message):
            known = re.findall(r"[\w-]+", choice[2])
            near = difflib.get_close_matches(choice[1], known, n=3) or known
            where = message[: choice.start()]
            message = f"{where}unknown {choice[1]!r}; nearest: {', '.join(near)}"
        message = " ".join(message.splitlines())
        print(f"layerbench: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)

    _intermixing = False

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """Lets a subcommand take results before, between and after its options.

        And lets it refuse its own unknown options, where the nearest is known.
        """
        if self.prog == "layerbench" or self._intermixing:
            return super().parse_known_args(args, namespace)
        self._intermixing = True  # argparse comes back here, for options and then for the rest
        self.usage = self._usage()
        try:
            found, rest = self.parse_known_intermixed_args(args, namespace)
        finally:
            self._intermixing, self.usage = False, None
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return found, rest

    def _usage(self) -> str:
        """As argparse has it, which while it looks at options alone would lose what else there is.

        Up to Python 3.12 it keeps that itself, but stumbles over the % of a ``5%``.
        """
        return self.format_usage().removeprefix("usage: ").replace("%", "%%")


Commands: TypeAlias = "argparse._SubParsersAction[Line]"
"""To which each command adds itself."""
