"""How long this process was kept from running by others on its cores."""

from __future__ import annotations

from pathlib import Path

_TASKS = Path("/proc/self/task")


def waited_s(threads: int, tasks: Path = _TASKS) -> float | None:
    """Seconds that the process has been ready to run and waiting for a core, since it began.

    The kernel counts this for each thread, to the nanosecond. It is not the time that a layer
    sleeps, or waits for a disk: it is the time that another process took.

    Args:
        threads: that compute at once. A single one at a time is kept by the sum of all waits; of
            several, the one that waited longest keeps the others waiting at their barrier.
        tasks: where the kernel lists the threads.

    Returns:
        None where the kernel does not tell.

    Source: the Linux kernel's Documentation/scheduler/sched-stats.rst, ``/proc/<pid>/schedstat``.
    """
    try:
        waits = [int((task / "schedstat").read_bytes().split()[1]) for task in tasks.iterdir()]
    except (OSError, IndexError, ValueError):
        return None
    return (sum(waits) if threads == 1 else max(waits)) * 1e-9
