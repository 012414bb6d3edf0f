"""The command line. Only the parser is imported to answer ``--help``; commands import the rest."""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any, TextIO, cast

from harness.cli.parser import parse
from harness.damage import Damage, noticed
from harness.report.text import printable
from harness.types import HarnessError, InfrastructureError, NothingToCompareError

GOOD, USAGE, FAILED, NOTHING, INTERRUPTED = 0, 2, 3, 4, 130
"""Exit statuses: all good; a mistake in what was asked for, or files that cannot be written; a case
failed, misses a pass, became slower than allowed, or (``--strict``) failed a check of itself or is
damaged; nothing measured, or nothing to compare; stopped from outside."""
STOPS = {
    "SIGINT": "stopped",
    "SIGTERM": "stopped by SIGTERM, as kill, a job scheduler or a shutdown sends it",
    "SIGHUP": "stopped by SIGHUP, as its terminal was closed (nohup or tmux would keep it going)",
}
"""Signals that end a command in good order, and how that is told."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    for name in STOPS:
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, _stop)
    with contextlib.ExitStack() as streams:
        if sys.stdout is not None:  # else closed by whoever started it
            if isinstance(sys.stdout, io.TextIOWrapper):  # what its encoding lacks is spelt out
                sys.stdout.reconfigure(errors="backslashreplace")
            output = _WhileItIsRead(sys.stdout, "standard output")
            streams.enter_context(contextlib.redirect_stdout(cast("TextIO", output)))
        if sys.stderr is not None:
            complaints = _WhileItIsRead(sys.stderr)
            streams.enter_context(contextlib.redirect_stderr(cast("TextIO", complaints)))
        return _command(arguments)


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def stopped(stop: KeyboardInterrupt) -> str:
    """By what; in words that a sentence can go on from."""
    return STOPS.get(str(stop), "stopped")


def _command(arguments: Sequence[str] | None) -> int:
    try:
        try:
            options = parse(arguments)
            module = importlib.import_module(
                f"harness.cli.{getattr(options, 'module', 'commands')}"
            )
            with noticed(_tell):
                return int(getattr(module, f"{options.command}_command")(options))
        finally:
            print(end="", flush=True)  # now, while an error of it can still be told
    except NothingToCompareError as error:
        return _say(error, NOTHING)
    except InfrastructureError as error:
        return _say(error, FAILED)
    except HarnessError as error:
        return _say(error, USAGE)
    except OSError as error:  # a full disk, a file that may not be read
        named = f"{error.filename}: " if error.filename else ""
        return _say(f"{named}{error.strerror or error}", USAGE)
    except KeyboardInterrupt as stop:
        return _say(stopped(stop), INTERRUPTED)


def _say(error: object, status: int) -> int:
    # A name of a file or folder may come from a stranger, too.
    print(f"layerbench: {printable(' '.join(str(error).splitlines()))}", file=sys.stderr)
    return status


def _tell(damage: Damage) -> None:
    _say(f"damaged: {damage}", GOOD)


class _WhileItIsRead:
    """A stream whose reader may leave, as in ``layerbench list | head``, or its terminal be closed.

    What is written after that is lost, and nothing else: a run goes on, a gate still decides. Any
    other error is raised with the stream's name, or not at all if it has none.
    """

    def __init__(self, stream: TextIO, name: str = "") -> None:
        self._stream = stream
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._until_nobody_reads():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._until_nobody_reads():
            self._stream.flush()

    @contextlib.contextmanager
    def _until_nobody_reads(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # Python writes out at its end what is left, so that has to have somewhere to go.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            if self._name and error.errno not in (errno.EPIPE, errno.EIO):
                raise OSError(error.errno, error.strerror, self._name) from error
