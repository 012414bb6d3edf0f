"""Two configurations side by side: what was measured of each, as curves to search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.search.crossing import Curve, Curves, Point
from harness.stats import Interval, ratio_interval

LATENCY, MEMORY = "latency", "peak memory"
MEMORY_MARGIN = 0.02
MEMORY_MARGIN_BYTES = 2**20
"""How far a reading of peak memory may be off, whichever is more; see docs/method.md."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run says of one case; None where it has no such figure.

    Attributes:
        latency: seconds a call.
        peak_memory_bytes: of a call.
        memory_method: how that was read, or below what it lies.
        status, reason: of the case; a sentence if it is not ok.
    """

    latency: Interval | None
    peak_memory_bytes: int | None
    memory_method: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A and B at one value of the axis."""

    value: int
    a: Figures
    b: Figures


def curves(pairs: Sequence[Pair]) -> Curves:
    """B over A, in latency and in peak memory."""
    ordered = sorted(pairs, key=lambda pair: pair.value)
    latency = tuple(Point(p.value, _ratio(p.a.latency, p.b.latency)) for p in ordered)
    memory = tuple(Point(p.value, _ratio(_memory(p.a), _memory(p.b))) for p in ordered)
    return {LATENCY: Curve(latency), MEMORY: Curve(memory, noisy=False)}


def _ratio(a: Interval | None, b: Interval | None) -> Interval | None:
    return ratio_interval(b, a) if a and b else None


def _memory(figures: Figures) -> Interval | None:
    peak = figures.peak_memory_bytes
    if not peak:
        return None
    margin = max(MEMORY_MARGIN_BYTES, MEMORY_MARGIN * peak)
    return Interval(peak, max(1.0, peak - margin), peak + margin)
