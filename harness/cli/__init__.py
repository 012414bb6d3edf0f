"""The command line. Only the parser is imported to answer ``--help``; commands import the rest."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from harness.cli.parser import parse
from harness.types import HarnessError, NothingToCompareError

GOOD, USAGE, FAILED, NOTHING, INTERRUPTED = 0, 2, 3, 4, 130
"""Exit statuses: all good; a mistake in what was asked for; a case failed, or became slower than
allowed; nothing to compare; stopped from outside."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    options = parse(arguments)
    try:
        from harness.cli import commands

        return int(getattr(commands, f"{options.command}_command")(options))
    except NothingToCompareError as error:
        return _say(error, NOTHING)
    except HarnessError as error:
        return _say(error, USAGE)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `layerbench list | head`
        sys.stderr.close()
        return GOOD


def _say(error: HarnessError, status: int) -> int:
    print(f"layerbench: {error}", file=sys.stderr)
    return status
