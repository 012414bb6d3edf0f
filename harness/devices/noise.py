"""How quiet this machine is, and what would make it quieter, for ``layerbench doctor``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from typing import Any

import numpy as np
import psutil

BLOCKS = 200
BLOCK_S = 5e-3
DEADLINE_S = 1.8
"""A machine too disturbed to finish in time has shown so by then."""
DISTURBED = 1.05
"""A block is disturbed when it takes this many times the median."""

NOISY = 0.05
"""A larger share of disturbed blocks is worth a word."""


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """How far blocks of one fixed piece of work, about 5 ms each, differ from each other."""

    blocks: int
    block_s: float
    """Median."""
    tail: float
    """99th percentile over median, less 1."""
    disturbed: float
    """Share of the blocks that took more than 5 % longer than the median."""
    clock_resolution_s: float
    """Smallest step between two readings of the clock; its own cost is within it."""


def noise_floor() -> NoiseFloor:
    """Times the same loop over and over for up to 2 s.

    The work is the same each time and touches no memory, so what differs is the machine: other
    programs, interrupts, a clock that changes. No layer can be timed more steadily than this.
    """
    loops = _calibrate()
    blocks: list[float] = []
    deadline = perf_counter() + DEADLINE_S
    while len(blocks) < BLOCKS and perf_counter() < deadline:
        blocks.append(_spin(loops))
    return _summary(blocks, clock_resolution())


def clock_resolution(clock: Callable[[], float] = perf_counter) -> float:
    """The smallest step of the clock that was seen, in seconds, not the one it claims."""
    steps = []
    for _ in range(20):
        start = now = clock()
        while now == start:
            now = clock()
        steps.append(now - start)
    return min(steps)


def _spin(loops: int) -> float:
    """Seconds that an empty loop takes; it allocates nothing."""
    start = perf_counter()
    for _ in repeat(None, loops):
        pass
    return perf_counter() - start


def _calibrate() -> int:
    """How many loops take `BLOCK_S` when nothing disturbs them."""
    loops = 10_000
    return round(loops * BLOCK_S / min(_spin(loops) for _ in range(20)))


def _summary(blocks: Sequence[float], clock_resolution_s: float) -> NoiseFloor:
    times = np.asarray(blocks)
    median = float(np.median(times))
    return NoiseFloor(
        blocks=len(times),
        block_s=median,
        tail=float(np.quantile(times, 0.99)) / median - 1,
        disturbed=float(np.mean(times > DISTURBED * median)),
        clock_resolution_s=clock_resolution_s,
    )


def advice(machine: Mapping[str, Any], floor: NoiseFloor) -> list[str]:
    """What would make this machine quieter: a sentence each, only where it applies.

    Args:
        machine: what `harness.devices.machine.describe` returns.
        floor: what `noise_floor` returned there.
    """
    cpu = machine["cpu"]
    logical = cpu["logical_cores"]
    limit = machine["container"]["cpus"]
    load = psutil.getloadavg()[0]
    sentences = []
    if cpu["governor"] not in (None, "performance"):
        sentences.append(
            f"The frequency governor is {cpu['governor']}, so the clock follows the load: "
            "sudo cpupower frequency-set --governor performance"
        )
    if cpu["turbo"]:
        sentences.append(
            "Turbo is on, so the clock depends on temperature and on the other cores. Turn it "
            "off: echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo, or where "
            "that file is missing echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost"
        )
    if limit is not None and limit < logical:
        sentences.append(
            f"The container may use {limit:g} CPUs and sees {logical}: workers with more threads "
            "than that are throttled. Raise its limit (docker run --cpus), or give it whole "
            "cores instead (docker run --cpuset-cpus)"
        )
    if logical == 1:
        sentences.append(
            "There is one CPU, which the worker shares with the harness and the system: "
            "use a machine with two or more"
        )
    if load > max(0.5, 0.1 * logical):
        sentences.append(
            f"The load average is {load:.1f} on {logical} CPUs: stop the other programs that "
            "are running, or wait for them"
        )
    if floor.disturbed > NOISY and not sentences:
        sentences.append(
            "Something takes the CPU away that cannot be seen from here, other guests of the host "
            "perhaps: make more passes (--passes 10), measure at another time, or elsewhere"
        )
    return sentences
