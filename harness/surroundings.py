"""What a process has of its own that code in it can change for whatever runs in it afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TIMERS = tuple(
    getattr(signal, name)
    for name in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF")
    if hasattr(signal, name)  # not on Windows
)


@dataclass(frozen=True)
class Surroundings:
    """Working directory, environment, signal handlers and cores, as they were at a time.

    Attributes:
        folder: None if it was gone already.
        handlers: those that Python can install, by signal.
        cores: those that this thread may run on; empty where the system does not tell.
    """

    folder: str | None
    environment: Mapping[str, str]
    handlers: Mapping[signal.Signals, Any]
    cores: frozenset[int]

    def restore(self) -> None:
        """Makes them what they were, and stops timers that would send a signal.

        Raises:
            OSError: the working directory is no longer there.
        """
        if self.folder is not None:
            os.chdir(self.folder)
        if dict(os.environ) != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)
        for timer in _TIMERS:
            signal.setitimer(timer, 0)
        for number, handler in self.handlers.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        if sys.platform == "linux" and os.sched_getaffinity(0) != self.cores:
            os.sched_setaffinity(0, self.cores)


def current() -> Surroundings:
    """Those of this process, from its main thread."""
    folder = None
    with contextlib.suppress(OSError):
        folder = os.getcwd()
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    ours = {
        number: handler
        for number, handler in handlers.items()
        if handler is not None and isinstance(number, signal.Signals)
    }
    cores = os.sched_getaffinity(0) if sys.platform == "linux" else ()
    return Surroundings(folder, dict(os.environ), ours, frozenset(cores))
