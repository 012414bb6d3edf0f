"""The command as typed."""

from __future__ import annotations

from collections.abc import Sequence

from harness import cli


def of(typed: Sequence[str]) -> int:
    """Its exit status, whether the command returns it or the parser exits with it."""
    try:
        return cli.main(typed)
    except SystemExit as exit_:
        return int(str(exit_.code))
