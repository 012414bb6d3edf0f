"""Ends what workers have started once their parent is gone and cannot do it.

A worker ends with its parent (see `harness.worker`), but not what a layer in it has started. So
with its first worker a parent starts this small process, which sleeps until the parent's end of a
pipe is closed, however the parent ends, and then kills whatever still carries its mark.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterable, Sequence

import psutil

MARK = "LAYERBENCH_WORKER"
"""Environment variable by which everything a worker has started can be told."""
DEADLINE_S = 4.0
"""Nothing that is killed takes so long to end, unless the kernel itself hangs."""


def marked(mark: str) -> list[psutil.Process]:
    """The processes whose mark begins so; one started with another environment is not found."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK, "").startswith(mark):
                found.append(process)
    return found


def kill(mark: str, started: Iterable[psutil.Process] = ()) -> None:
    """Kills them all, also those that they start meanwhile.

    Args:
        mark: of what carries it.
        started: more of them, known by their descent, whatever their environment is.
    """
    for process in started:
        with contextlib.suppress(psutil.Error):
            process.kill()
    deadline = time.monotonic() + DEADLINE_S
    while (left := marked(mark)) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        time.sleep(0.01)


def main(arguments: Sequence[str]) -> None:
    """Waits until standard input ends, then kills what carries the mark."""
    sys.stdin.read()
    kill(arguments[0])
