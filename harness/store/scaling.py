"""Rows of one run that differ in one size only: how their time follows their work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal, NamedTuple

from harness.stats import Interval
from harness.store.roofline import Roof
from harness.types import Case

LEAST_GROWTH = 1.5
"""Of work, from which on the growth of the time tells something."""


class Pair(NamedTuple):
    """Two neighbours along an axis, all else equal."""

    axis: Literal["batch", "seq"]
    smaller: Case
    larger: Case

    @property
    def times(self) -> float:
        """How many times as long the larger one is along the axis."""
        return float(getattr(self.larger, self.axis) / getattr(self.smaller, self.axis))

    def shrinks(self, latency: Mapping[Case, Interval]) -> bool:
        """Whether the larger one takes less time, beyond what their intervals leave open."""
        return latency[self.larger].high < latency[self.smaller].low


def pairs(cases: Iterable[Case]) -> list[Pair]:
    """All neighbours along batch and sequence among these cases."""
    lines: dict[tuple[str, Case], list[Case]] = defaultdict(list)
    for case in cases:
        lines["batch", replace(case, batch=1)].append(case)
        if case.seq is not None:
            lines["seq", replace(case, seq=1)].append(case)
    return [
        Pair(axis, smaller, larger)  # type: ignore[arg-type]
        for (axis, _), line in lines.items()
        for smaller, larger in pairwise(sorted(line, key=lambda case: getattr(case, axis)))
    ]


def fixed_shares(
    pairs: Sequence[Pair], latency: Mapping[Case, Interval], roofs: Mapping[Case, Roof | None]
) -> dict[Case, float]:
    """Of each case's time, the largest share that does not grow with work along any axis.

    Between two neighbours the time is taken as a + b·w, where w is the least time that the
    machine's ceilings allow for the work; a is the fixed part. A pair whose time shrinks is left
    out: that is no overhead but a fault.
    """
    shares: dict[Case, float] = defaultdict(float)
    for pair in pairs:
        small, large = roofs[pair.smaller], roofs[pair.larger]
        if small is None or large is None or pair.shrinks(latency):
            continue
        if large.least_s < LEAST_GROWTH * small.least_s:
            continue
        work = large.least_s / small.least_s
        here, there = latency[pair.smaller].value, latency[pair.larger].value
        fixed_s = (work * here - there) / (work - 1)
        shares[pair.smaller] = max(shares[pair.smaller], fixed_s / here)
        shares[pair.larger] = max(shares[pair.larger], fixed_s / there)
    return shares
