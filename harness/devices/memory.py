"""The peak memory of a call on the CPU, as the operating system counts it."""

from __future__ import annotations

import ctypes
import gc
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

_PROCESS = Path("/proc/self")


class PeakMemory(NamedTuple):
    """One reading.

    Attributes:
        peak_bytes: above the resting level.
        method: how it was read.
        resolution_bytes: the smallest peak that can be told from none.
    """

    peak_bytes: int
    method: str
    resolution_bytes: int


def peak_memory(call: Callable[[], object]) -> PeakMemory:
    """Peak resident memory of one call above the resting level, and how it was found out.

    ``VmHWM``: the kernel's high-water mark, reset just before the call. It misses nothing
    however short, and counts pages that were touched, not memory that was asked for. Heap that
    earlier calls freed is handed back first, because touching it again would not show.

    ``ru_maxrss`` (``peak_wset`` on Windows): the mark of the whole life of the process, where
    it cannot be reset, which cannot see a call that stays below an earlier peak.

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
            return PeakMemory(_high_water() - rest, "VmHWM", _resolution())
    rest = psutil.Process().memory_info().rss
    before, method = _lifetime_peak()
    call()
    after, _ = _lifetime_peak()
    return PeakMemory(after - rest if after > before else 0, method, before - rest + 1)


def _resolution() -> int:
    """The kernel counts pages a core at a time, and adds a core's count up in batches.

    Source: include/linux/percpu_counter.h (batches of max(32, 2 CPUs) pages), and before Linux
    6.2 TASK_RSS_EVENTS_THRESH in mm/memory.c (64 pages).
    """
    batch = max(64, 2 * (os.cpu_count() or 1))
    return batch * len(os.sched_getaffinity(0)) * os.sysconf("SC_PAGE_SIZE")


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
