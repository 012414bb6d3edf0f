"""How long this process was kept from running by others on its cores."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

_TASKS = Path("/proc/self/task")

Waits: TypeAlias = Mapping[str, int]
"""By thread, nanoseconds since it began; empty where the kernel does not tell."""


def waits(tasks: Path = _TASKS) -> Waits:
    """How long each thread has been ready to run and waiting for a core, since it began.

    It is not the time that a layer sleeps, or waits for a disk: it is the time that another process
    took.

    Args:
        tasks: where the kernel lists the threads.

    Source: the Linux kernel's Documentation/scheduler/sched-stats.rst, ``/proc/<pid>/schedstat``.
    """
    found: dict[str, int] = {}
    with contextlib.suppress(OSError):  # no such system
        for task in tasks.iterdir():
            with contextlib.suppress(OSError, IndexError, ValueError):  # a thread may just end
                found[task.name] = int((task / "schedstat").read_bytes().split()[1])
    return found


def waited_s(before: Waits, after: Waits, threads: int) -> float:
    """Seconds that the process was kept from running between two readings.

    Args:
        before: the first reading.
        after: the second one.
        threads: that compute at once. A single one at a time is kept by the sum of all waits; of
            several, the one that waited longest in between keeps the others waiting at their
            barrier.
    """
    gained = [max(0, wait - before.get(thread, 0)) for thread, wait in after.items()]
    return (sum(gained) if threads == 1 else max(gained, default=0)) * 1e-9
