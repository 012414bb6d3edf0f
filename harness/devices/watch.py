"""What keeps this process from its work while it is watched, as the kernel and the driver count it.

Nothing here judges; `harness.disturbance` says from how much on a kind counts. A kind that this
system does not tell is left out: all of them are told on Linux, and elsewhere only ``suspended``,
``stopped`` and ``faults``.

Source: the Linux kernel's documentation, filesystems/proc.rst (``/proc/stat``),
admin-guide/cgroup-v2.rst (``cpu.stat``), admin-guide/pm/cpufreq.rst, and clock_getres(2).
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import FrameType
from typing import TypeAlias

from harness.devices import cgroup, nvml, waiting

Counts: TypeAlias = Mapping[str, float]
"""Of one kind, by whatever is counted apart; empty where the system does not tell."""
Told: TypeAlias = Callable[[], dict[str, float]]
"""Ends watching, and tells how much of each kind there was."""

BUSY = 0.5
"""A process that computes for less of the time than this lets the processor slow down."""
_THERMAL = ("core_throttle_count", "package_throttle_count")
_KHZ = 1e-3
_stops = 0


class Watch:
    """Reads counters, and again when it is over.

    Calling it starts watching, and what that returns ends it. The amounts are shares of the time
    watched for ``waiting``, ``stolen`` and ``throttled``, seconds for ``suspended``, the share by
    which the clock is below its nominal one for ``slowed``, and numbers for the other kinds.
    """

    def __init__(
        self,
        threads: int,
        device: str = "cpu",
        root: Path = Path("/"),
        asleep: Callable[[], float] | None = None,
    ) -> None:
        """Finds out what this system tells.

        Args:
            threads: that compute at once.
            device: ``cpu`` or ``cuda``.
            root: where ``proc`` and ``sys`` are.
            asleep: a clock that goes only while the machine is suspended, in seconds.
        """
        _count_stops()
        self._threads = threads
        self._tasks = root / "proc/self/task"
        self._gpu = nvml.first() if device == "cuda" else None
        names = [f"cpu{core}" for core in _cores()]
        cores = [root / "sys/devices/system/cpu" / name for name in names]
        thermal = [core / "thermal_throttle" / name for core in cores for name in _THERMAL]
        groups = tuple(cgroup.cpu_stats(root))
        self._nominal = {core: mhz for core in cores if (mhz := _nominal_mhz(core))}
        self._counters: dict[str, Callable[[], Counts]] = {
            "suspended": lambda: {"": (asleep or _asleep_s)()},
            "stopped": lambda: {"": _stops},
            "faults": _major_faults,
            "stolen": lambda: _stolen_s(root / "proc/stat", names),
            "throttled": lambda: cgroup.throttled_s(groups),
            "overheated": lambda: _numbers(thermal),
            "swapped": lambda: _swapped(root / "proc/vmstat"),
        }

    def __call__(self) -> Told:
        """Starts watching."""
        before = {kind: count() for kind, count in self._counters.items()}
        gpu_before = self._gpu and self._gpu.others()
        begun = waiting.read(self._tasks)

        def told() -> dict[str, float]:
            ended = waiting.read(self._tasks)
            lasted_s = ended.ended_s - begun.begun_s
            slowed = self._slowed((ended.ran_s - begun.ran_s) / lasted_s)
            found = {
                kind: more
                for kind, count in self._counters.items()
                if (more := _more(before[kind], count())) is not None
            }
            # The kernel rounds down to ticks, so one of them may have begun long before.
            if "stolen" in found:
                found["stolen"] = max(0.0, found["stolen"] - _tick_s()) / lasted_s
            if "throttled" in found:
                found["throttled"] = min(1.0, found["throttled"] / self._threads / lasted_s)
            if begun.waited:
                found["waiting"] = waiting.waited_s(begun, ended, self._threads) / lasted_s
            if slowed is not None:
                found["slowed"] = slowed
            if self._gpu is not None:
                found["gpu_shared"] = max(gpu_before or 0, self._gpu.others())
                found["gpu_slowed"] = float(self._gpu.slowed())
            return found

        return told

    def _slowed(self, busy: float) -> float | None:
        """By which share the slowest of its cores is below its nominal clock at this moment."""
        clocks = {
            core: mhz * _KHZ
            for core in self._nominal
            if (mhz := _number(core / "cpufreq/scaling_cur_freq"))
        }
        if not clocks:
            return None
        if busy < BUSY:
            return 0.0
        return max(0.0, *(1 - mhz / self._nominal[core] for core, mhz in clocks.items()))


def _more(before: Counts, after: Counts) -> float | None:
    """What most was added to; None if nothing is counted."""
    differences = [after[name] - count for name, count in before.items() if name in after]
    return max(0.0, *differences) if differences else None


def _asleep_s() -> float:
    """Seconds that the machine was suspended since it started.

    Where there is no such clock it is what the time of day went on by beyond the time awake, so
    that setting the clock looks the same.
    """
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.time() - time.monotonic()


def _count_stops() -> None:
    """Counts how often this process goes on after it was stopped, which it cannot see otherwise."""

    def count(number: int, frame: FrameType | None) -> None:
        global _stops
        _stops += 1

    if sys.platform != "win32":
        with contextlib.suppress(ValueError):  # not the main thread
            signal.signal(signal.SIGCONT, count)
            signal.siginterrupt(signal.SIGCONT, False)


def _cores() -> list[int]:
    """That this process may run on."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


def _major_faults() -> Counts:
    """Pages of this process that had to be read from a disk."""
    if sys.platform == "win32":
        return {}
    import resource

    return {"": resource.getrusage(resource.RUSAGE_SELF).ru_majflt}


def _tick_s() -> float:
    return 1 / os.sysconf("SC_CLK_TCK")


def _stolen_s(stat: Path, cores: Iterable[str]) -> Counts:
    """By core, seconds in which the host ran another guest in its place."""
    fields = {line.split(" ", 1)[0]: line.split() for line in _text(stat).splitlines()}
    return {
        core: int(fields[core][8]) * _tick_s()
        for core in cores
        if core in fields and len(fields[core]) > 8
    }


def _swapped(vmstat: Path) -> Counts:
    """Pages that the machine wrote to its swap space and read from it."""
    found = re.findall(r"^pswp(?:in|out) (\d+)$", _text(vmstat), re.MULTILINE)
    return {"": sum(map(int, found))} if found else {}


def _nominal_mhz(core: Path) -> float | None:
    """The clock that the core is sold to keep up, turbo left aside; Intel's driver, then CPPC."""
    khz = _number(core / "cpufreq/base_frequency")
    return khz * _KHZ if khz else _number(core / "acpi_cppc/nominal_freq")


def _numbers(files: Iterable[Path]) -> Counts:
    found = {str(file): _number(file) for file in files}
    return {name: number for name, number in found.items() if number is not None}


def _number(file: Path) -> float | None:
    text = _text(file).strip()
    return float(text) if text.isdecimal() else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
