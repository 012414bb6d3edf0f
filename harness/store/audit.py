"""Each row checks itself, by what its run has measured anyway: one function a check.

A finding says that a figure cannot be what it claims to be, or cannot be trusted as it stands;
what only limits what a figure means is a remark. docs/method.md tells the rules and how often
they raise a false alarm.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from harness import stats, units
from harness.stats import Interval
from harness.store.roofline import COMPUTE, OVERHEAD, Roof
from harness.store.scaling import Pair
from harness.types import Case, Measurement

CHECKS = ("doubling", "growth", "device_time", "ceiling", "trend", "passes")
"""Their names, as in the column ``audit``."""

DOUBLING_MARGIN = 0.05
"""A call in a block of twice the calls may take this much more or less: what a block costs."""
DOUBLING_PAIRS = 6
"""With fewer, a median has no 95 % interval."""
DEVICE_MARGIN = 0.02
"""The device's clock starts before the host's and stops before it; see `harness.probes.latency`."""
ROOF_MARGIN = 1.05
"""A rate up to this much above the measured ceiling is noise; beyond it, an error."""
TREND_SCORE = 2.81
"""Standard deviations from none; samples without a trend reach it once in 200 rows."""
TREND_MARGIN = 0.03
"""From the first to the last third of a pass; a smaller trend hurts no figure."""
PASSES_CHANCE = 0.01
"""Passes that differ by more than one set in a hundred would, by the prior, disagree."""


class Finding(NamedTuple):
    """A check that a row failed.

    Attributes:
        check: one of `CHECKS`.
        sentence: what was found, with the figure, and what to do.
    """

    check: str
    sentence: str


def findings(attempts: Sequence[Measurement], latency_s: float, roof: Roof | None) -> list[Finding]:
    """All that a row's own measurements have against it.

    Args:
        attempts: the passes that came through; at least one.
        latency_s: of the row.
        roof: over it, if known.
    """
    checked = (
        doubling(attempts),
        device_time(attempts),
        ceiling(latency_s, roof),
        trend(attempts),
        passes(attempts),
    )
    return [finding for finding in checked if finding]


def doubling(attempts: Sequence[Measurement]) -> Finding | None:
    """Whether a call takes the same time where a block holds twice as many.

    Both the pairs of neighbours and the shortest block of each kind must say otherwise: on a busy
    machine the longer block is the one that is interrupted more often, in some pass each time.
    """
    paired = [attempt for attempt in attempts if attempt.doubled_samples_s]
    ratios = [
        doubled / usual
        for attempt in paired
        for usual, doubled in zip(attempt.paired_samples_s, attempt.doubled_samples_s, strict=True)
    ]
    if len(ratios) < DOUBLING_PAIRS:
        return None
    found = stats.median_interval(ratios)
    shortest = min(min(a.doubled_samples_s) for a in paired) / min(
        min(a.paired_samples_s) for a in paired
    )
    longer = min(found.low, shortest) > 1 + DOUBLING_MARGIN
    shorter = max(found.high, shortest) < 1 - DOUBLING_MARGIN
    if not (longer or shorter):
        return None
    return Finding(
        "doubling",
        f"in blocks of twice the calls, a call takes {found.value:.2f} times as long "
        f"({found.low:.2f}–{found.high:.2f}, {units.count(len(ratios), 'pair')}): something is "
        "timed that is not the calls, or they are not waited for; do not use this time, and hold "
        "it against a timer of your own",
    )


def device_time(attempts: Sequence[Measurement]) -> Finding | None:
    """Whether the device was busy for no longer than the host waited."""
    ratios = [
        device / wall
        for attempt in attempts
        for wall, device in zip(attempt.samples_s, attempt.device_samples_s, strict=False)
    ]
    if not ratios:
        return None
    found = stats.median_interval(ratios)
    if found.low <= 1 + DEVICE_MARGIN:
        return None
    return Finding(
        "device_time",
        f"the device's clock reads {found.value:.2f} times what the host's does: the host does "
        "not wait for all of the work, or a clock is off; do not use this time before "
        "`layerbench doctor` and a profiler agree on it",
    )


def ceiling(latency_s: float, roof: Roof | None) -> Finding | None:
    """Whether the row's rates are within what the machine was measured to do."""
    if roof is None or roof.least_s <= ROOF_MARGIN * latency_s:
        return None
    rate = "FLOP/s" if roof.by == COMPUTE else "bytes/s"
    return Finding(
        "ceiling",
        f"error of measurement: {roof.least_s / latency_s:.2f} times the machine's measured "
        f"ceiling in {rate}; the declared work or the ceiling is wrong: count the layer's work "
        "again, and measure once more on a quiet machine",
    )


def trend(attempts: Sequence[Measurement]) -> Finding | None:
    """Whether samples keep their level from the first to the last of a pass.

    The passes' scores are joined and the median of their changes counts: a neighbour who comes or
    goes moves one pass, which the median over passes does not mind; what the layer or the machine
    does by itself shows in most of them, and in the same direction.
    """
    scores = [stats.trend_score(attempt.samples_s) for attempt in attempts]
    if abs(sum(scores)) < TREND_SCORE * math.sqrt(len(scores)):
        return None
    change = float(np.median([_change(attempt.samples_s) for attempt in attempts]))
    if change * sum(scores) <= 0 or abs(change) < math.log1p(TREND_MARGIN):
        return None
    why = (
        "the machine slows down or the layer piles something up: let it cool, close other "
        "programs, look at its memory"
        if change > 0
        else "it had not warmed up: give it a longer --sample-time, which warm-up follows"
    )
    return Finding(
        "trend",
        f"time {'rose' if change > 0 else 'fell'} by {units.percent(abs(math.expm1(change)))} from "
        f"the first to the last third of a pass's samples; {why}",
    )


def _change(samples: Sequence[float]) -> float:
    """Log of the median of the last third of the samples over that of the first."""
    third = max(1, len(samples) // 3)
    return math.log(float(np.median(samples[-third:])) / float(np.median(samples[:third])))


def passes(attempts: Sequence[Measurement]) -> Finding | None:
    """Whether the passes differ by no more than processes do."""
    found = [stats.series_interval(attempt.samples_s) for attempt in attempts]
    if stats.pass_agreement(found) >= PASSES_CHANCE:
        return None
    medians = [one.value for one in found]
    return Finding(
        "passes",
        f"the passes disagree, from {units.seconds(min(medians))} to "
        f"{units.seconds(max(medians))}, where processes usually differ by "
        f"{units.share(stats.PROCESS_SD)}; make more of them, on a quieter machine",
    )


def growth(
    pairs: Sequence[Pair], latency: Mapping[Case, Interval], bounds: Mapping[Case, str]
) -> dict[Case, Finding]:
    """Cases that take less time than a smaller neighbour, where time should follow work."""
    found = {}
    for pair in pairs:
        if OVERHEAD in (bounds[pair.smaller], bounds[pair.larger]) or not pair.shrinks(latency):
            continue
        less = 1 - latency[pair.larger].value / latency[pair.smaller].value
        size = f"{pair.axis} {getattr(pair.smaller, pair.axis)}"
        found[pair.larger] = Finding(
            "growth",
            f"takes {units.percent(less)} less time than at {size}, at {pair.times:g} times the "
            "work: another kernel, or one of the two was disturbed; measure both again with more "
            "--passes, and look at a profile if it stays",
        )
    return found


def remarks(attempts: Sequence[Measurement]) -> list[str]:
    """What limits the meaning of a row's time and is no fault of it."""
    said = []
    count = units.count(len(attempts), "pass", "passes")
    if cold := sum(not attempt.warmed for attempt in attempts):
        said.append(f"still changing after warm-up in {cold} of {count}")
    if len(attempts) == 1:
        said.append("one pass only: the interval rests on what is usual between processes")
    return said
