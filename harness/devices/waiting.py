"""How long this process was kept from running by others on its cores."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TASKS = Path("/proc/self/task")


@dataclass(frozen=True)
class Reading:
    """What the kernel tells of this process at a moment.

    Attributes:
        waited: by thread, nanoseconds since it began in which it was ready to run and waiting for
            a core; empty where the kernel does not tell.
        ran_s: seconds that all threads together were on cores, since the process began.
        begun_s, ended_s: when the reading began and ended, by a clock of its own.
    """

    waited: Mapping[str, int]
    ran_s: float
    begun_s: float
    ended_s: float


def read(tasks: Path = _TASKS) -> Reading:
    """How long each thread waited, and all of them ran.

    Waiting is not the time that a layer sleeps, or waits for a disk: it is the time that another
    process, or another thread of this one, took.

    Args:
        tasks: where the kernel lists the threads.

    Source: the Linux kernel's Documentation/scheduler/sched-stats.rst, ``/proc/<pid>/schedstat``.
    Its time on a core may be some milliseconds old, so that is asked of the process's own clock.
    """
    begun_s = time.perf_counter()
    waited: dict[str, int] = {}
    with contextlib.suppress(OSError):  # no such system
        for task in tasks.iterdir():
            with contextlib.suppress(OSError, IndexError, ValueError):  # a thread may just end
                waited[task.name] = int((task / "schedstat").read_bytes().split()[1])
    return Reading(waited, time.process_time(), begun_s, time.perf_counter())


def waited_s(before: Reading, after: Reading, threads: int) -> float:
    """Seconds that the process was kept from running by others between two readings.

    Args:
        before: the first reading.
        after: the second one.
        threads: that compute at once, on as many cores. A single one at a time is kept by the sum
            of all waits; of several, the one that waited longest in between keeps the others
            waiting at their barrier. But what its threads ran meanwhile, shared among the cores,
            was not taken by others: a thread that waits for another one of the same process loses
            nothing to them.
    """
    waits = [max(0, wait - before.waited.get(thread, 0)) for thread, wait in after.waited.items()]
    longest = (sum(waits) if threads == 1 else max(waits, default=0)) * 1e-9
    own = (after.ran_s - before.ran_s) / threads
    return max(0.0, min(longest, after.ended_s - before.begun_s - own))
