"""The CPU as a device: which cores a worker is pinned to."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from harness.types import UsageError

_TOPOLOGY = Path("/sys/devices/system/cpu")


def cores(threads: int) -> tuple[int, ...]:
    """The CPUs a worker with this many threads is pinned to, ascending.

    Of those this process may use, the last ones, since interrupts and most other programs
    start at the first; and one thread of each physical core before a second of any, since two
    threads of a core share its arithmetic units. Empty where the system cannot pin (macOS,
    Windows).

    Raises:
        UsageError: fewer CPUs are available than threads asked for.
    """
    if sys.platform == "linux":
        usable = sorted(os.sched_getaffinity(0))
    else:
        usable = list(range(os.cpu_count() or 1))
    if not 1 <= threads <= len(usable):
        raise UsageError(
            f"{threads} threads were asked for and this process may use {len(usable)} CPUs; "
            f"ask for 1 to {len(usable)}"
        )
    if sys.platform != "linux":
        return ()
    first_of_core: dict[str, int] = {}
    for cpu in usable:
        first_of_core.setdefault(_siblings(cpu), cpu)
    first = sorted(first_of_core.values())
    second = [cpu for cpu in usable if cpu not in first]
    extra = threads - len(first)
    return tuple(sorted(first + second[-extra:] if extra > 0 else first[-threads:]))


def _siblings(cpu: int) -> str:
    """The same text for all hardware threads of one physical core."""
    try:
        return (_TOPOLOGY / f"cpu{cpu}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(cpu)
