"""Judges what needs no repetition: counts, and a peak of memory with a known margin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from harness.gate.outcome import METRICS, Finding, Verdict
from harness.search.pairs import MEMORY_MARGIN, MEMORY_MARGIN_BYTES
from harness.stats import Interval

Figures: TypeAlias = Mapping[str, float | None]
"""By metric; None where there is none, as of a peak too small to be read."""


def findings(base: Figures, head: Figures, threshold: float) -> Iterator[Finding]:
    """One a figure that either side has.

    Args:
        base: of one case.
        head: of the same.
        threshold: relative change that counts, 0.05 for 5 %; the same as for latency, so that 0
            makes every rise of a count one.
    """
    for metric in METRICS:
        before, after = base.get(metric), head.get(metric)
        if before is None and after is None:
            continue
        margin = _margin(metric, before or 0.0)
        yield Finding(
            metric=metric,
            base=before,
            head=after,
            ratio=_ratio(before, after, margin),
            visible=_visible(before, margin, threshold),
            pairs=0,
            verdict=_verdict(metric, before, after, margin, threshold),
        )


def _margin(metric: str, before: float) -> float:
    """How far a reading may be off, in its unit."""
    if METRICS[metric].exact:
        return 0.0
    return max(MEMORY_MARGIN_BYTES, MEMORY_MARGIN * before)


def _ratio(before: float | None, after: float | None, margin: float) -> Interval | None:
    if not before or not after:
        return None
    ratio, error = after / before, margin / before
    return Interval(ratio, max(0.0, ratio - error), ratio + error)


def _visible(before: float | None, margin: float, threshold: float) -> float | None:
    if not before:
        return None
    return threshold + margin / before


def _verdict(
    metric: str, before: float | None, after: float | None, margin: float, threshold: float
) -> Verdict:
    if METRICS[metric].exact and (before is None or after is None):
        return Verdict.NOT_COMPARED  # one side's framework cannot tell
    low, high = before or 0.0, after or 0.0  # a peak too small to be read is next to nothing
    if high > low * (1 + threshold) + margin:
        return Verdict.REGRESSION
    if low > high * (1 + threshold) + margin:
        return Verdict.IMPROVEMENT
    return Verdict.SAME
