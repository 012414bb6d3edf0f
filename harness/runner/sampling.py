"""Samples of a case that is ready: how many are enough, and which are taken again."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from harness import disturbance, stats
from harness.runner import received
from harness.stats import ENOUGH_SAMPLES
from harness.types import Disturbance

MIN_SAMPLES = 3
GROWTH = 1.25
"""Looking at the interval after each sample would stop at lucky moments."""
CHUNK_S = 0.1
"""Samples are asked for in requests of about this length."""
REPEATS = 0.5
"""Of the sampling time: so much more may go into repeating what was disturbed."""
FREE_BREAKS = 3
"""Requests of a case that a break of the process may spoil at no cost to its sampling time."""

Ask = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Effort:
    """How hard to look; see `harness.sweep.Sweep`."""

    rel_ci: float
    sample_s: float
    timeout_s: float


@dataclass
class Samples:
    """What was taken, all of it, in order.

    Attributes:
        walls_s: seconds a call.
        devices_s: likewise by the device's clock.
        disturbances: of some of them; None if nobody looked.
        clean_s: those of `walls_s` that were not disturbed.
        charged_s: those of `walls_s` that count against the sampling time.
        converged: whether `clean_s` give an interval as narrow as was asked for.
    """

    walls_s: list[float] = field(default_factory=list)
    devices_s: list[float] = field(default_factory=list)
    disturbances: list[Disturbance] | None = None
    clean_s: list[float] = field(default_factory=list)
    charged_s: list[float] = field(default_factory=list)
    converged: bool = False
    _breaks: int = 0

    def add(self, blocks: received.Blocks) -> None:
        """Adds what one request gave."""
        first = len(self.walls_s)
        self.walls_s += blocks.wall_s
        self.devices_s += blocks.device_s
        found: list[Disturbance] = []
        if blocks.disturbances is not None:
            found = disturbance.marks(blocks.disturbances, first, len(self.walls_s))
            self.disturbances = [*(self.disturbances or ()), *found]
        if not found:
            self.clean_s += blocks.wall_s
        if any(disturbance.KINDS[one.kind].breaks for one in found):
            self._breaks += 1
            if self._breaks <= FREE_BREAKS:
                return
        self.charged_s += blocks.wall_s

    def wanted(self, calls: int, effort: Effort) -> int:
        """How many more undisturbed samples the sampling time allows; 0 if it is spent."""
        allowed = self._allowed(calls, effort)
        repeats = math.ceil(REPEATS * allowed)
        left = allowed + repeats - len(self.charged_s)
        return max(0, min(allowed - len(self.clean_s), left))

    def _allowed(self, calls: int, effort: Effort) -> int:
        """How many samples fit into the sampling time, by what they took so far."""
        spent_s = sum(self.charged_s) * calls
        if not spent_s:
            return MIN_SAMPLES
        return max(MIN_SAMPLES, int(effort.sample_s / spent_s * len(self.charged_s)))


def sample(ask: Ask, calls: int, block_s: float, effort: Effort) -> Samples:
    """Takes samples until they tell the median well enough, or the time is spent.

    Args:
        ask: `harness.runner.process.WorkerProcess.ask` of a worker whose case is ready.
        calls: of a block.
        block_s: what a block takes, about.
        effort: when to stop.

    Raises:
        CaseFailedError: the case, or its worker, failed.
    """
    taken = Samples()
    looking = looks()
    next_look = next(looking)
    while not taken.converged and (wanted := taken.wanted(calls, effort)):
        block_s = statistics.median(taken.charged_s) * calls if taken.charged_s else block_s
        number = max(1, min(wanted, next_look - len(taken.clean_s), int(CHUNK_S / block_s)))
        answer = ask(effort.timeout_s, do="run", calls=calls, blocks=number)
        taken.add(received.blocks(answer, number))
        if len(taken.clean_s) >= next_look:
            interval = stats.series_interval(taken.clean_s)
            taken.converged = interval.relative_half_width <= effort.rel_ci
            next_look = next(looking)
    return taken


def looks() -> Iterator[int]:
    """After how many undisturbed samples the interval is looked at."""
    count = ENOUGH_SAMPLES
    while True:
        yield count
        count = math.ceil(count * GROWTH)
