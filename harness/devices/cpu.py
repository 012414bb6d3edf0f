"""The CPU as a device: which cores a worker is pinned to, and the peak memory of a call."""

from __future__ import annotations

import ctypes
import gc
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from harness.types import UsageError

_PROCESS = Path("/proc/self")
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


def peak_memory(call: Callable[[], object]) -> tuple[int, str]:
    """Peak resident memory of one call above the resting level, and how it was found out.

    ``VmHWM``: the kernel's high-water mark, reset just before the call. It misses nothing
    however short, and counts pages that were touched, not memory that was asked for; the
    kernel keeps the count a core at a time, so it is good to some 100 KiB. Heap that earlier
    calls freed is handed back first, because touching it again would not show.

    ``ru_maxrss`` (``peak_wset`` on Windows): the mark of the whole life of the process, where
    it cannot be reset; 0 means that the call stayed below an earlier peak.

    Returns:
        (bytes, method)

    Source: proc_pid_clear_refs(5) and proc_pid_status(5).
    """
    gc.collect()
    if sys.platform == "linux":
        _hand_back_free_heap()
        try:
            (_PROCESS / "clear_refs").write_text("5")
        except OSError:
            pass  # not every container lets a process write it
        else:
            # The mark, not VmRSS, is the resting level: only it comes of the same count.
            rest = _high_water()
            call()
            return _high_water() - rest, "VmHWM"
    rest = psutil.Process().memory_info().rss
    before, method = _lifetime_peak()
    call()
    after, _ = _lifetime_peak()
    return (after - rest if after > before else 0), method


def _hand_back_free_heap() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if trim is not None:
        trim(0)


def _high_water() -> int:
    match = re.search(r"^VmHWM:\s+(\d+) kB", (_PROCESS / "status").read_text(), re.MULTILINE)
    assert match
    return int(match[1]) * 1024


def _lifetime_peak() -> tuple[int, str]:
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset), "peak_wset"
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, "ru_maxrss"
