"""Two rows side by side, in time and in memory, as a search along the length has them."""

from __future__ import annotations

from harness.report.attention.study import ByLength
from harness.report.rows import Row
from harness.search.crossing import Point
from harness.search.pairs import Figures, Pair, curves
from harness.types import Status


def figures(row: Row) -> Figures:
    """What a row says of its case."""
    peak = row.peak_memory_bytes if row.status == Status.OK else None
    return Figures(
        row.latency,
        None if peak is None else int(peak),
        row.memory_method,
        row.status,
        row.reason,
    )


def pairs(base: ByLength, other: ByLength) -> tuple[Pair, ...]:
    """At each length at which both were tried."""
    return tuple(Pair(n, figures(base[n]), figures(other[n])) for n in sorted(base) if n in other)


def point(base: Row | None, other: Row | None, figure: str) -> Point:
    """Other over base in one figure, `harness.search.pairs.LATENCY` or ``MEMORY``."""
    if base is None or other is None:
        return Point(0, None)
    return curves([Pair(0, figures(base), figures(other))])[figure].points[0]
