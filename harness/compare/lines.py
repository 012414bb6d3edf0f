"""Cases of one layer taken together: what each machine makes of it, and what was to be expected."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.compare.frames import Row
from harness.compare.pairs import Verdict, ratio_of, verdict
from harness.stats import Interval, geometric_mean, mean_ratio

BAND = 1.5
"""By this factor a layer may miss the ratio that the ceilings let expect, either way. A ceiling is
one figure for one kind of work, and a case's working set lies between two that were measured, a
factor of two apart, whose bandwidths differ by about as much where a cache ends."""

BY_LAYER = ("machine", "device", "layer", "mode")
BY_CONFIGURATION = (*BY_LAYER, "framework", "execution", "dtype", "threads")


@dataclass(frozen=True)
class Expectation:
    """What the ceilings of both machines let expect of some cases.

    Attributes:
        cases: of how many something is expected.
        ratio: the geometric mean of what is.
        measured: that of the ratios of the same cases.
    """

    cases: int
    ratio: float
    measured: Interval

    @property
    def missed_by(self) -> Interval:
        """Measured over expected: above 1 the machine is slower than its ceilings are."""
        figures = (self.measured.value, self.measured.low, self.measured.high)
        return Interval(*(figure / self.ratio for figure in figures))

    @property
    def defied(self) -> bool:
        """Whether the whole interval of the miss lies outside of `BAND`."""
        return self.missed_by.low > BAND or self.missed_by.high < 1 / BAND


@dataclass(frozen=True)
class Line:
    """What one machine makes of one layer against the base, over the cases that all measured.

    Attributes:
        cases: rows of `harness.compare.machines.against`, at least one.
    """

    cases: tuple[Row, ...]

    def value(self, column: str) -> str:
        """What all of its cases have in that column."""
        return str(self.cases[0][column])

    @cached_property
    def ratio(self) -> Interval:
        return mean_ratio(map(ratio_of, self.cases))

    @property
    def verdict(self) -> Verdict:
        return verdict(self.ratio)

    @cached_property
    def expectation(self) -> Expectation | None:
        """None where the ceilings tell nothing of any of its cases."""
        told = [case for case in self.cases if not math.isnan(case["expected"])]
        if not told:
            return None
        expected = geometric_mean(case["expected"] for case in told)
        return Expectation(len(told), expected, mean_ratio(map(ratio_of, told)))

    @property
    def defies(self) -> bool:
        return self.expectation is not None and self.expectation.defied

    @cached_property
    def rooflines(self) -> tuple[float, float] | None:
        """The geometric means of the shares of base and other, over the cases that have both."""
        pairs = [tuple(case[f"{s}_roofline_fraction"] for s in _SIDES) for case in self.cases]
        whole = [pair for pair in pairs if all(isinstance(x, float) and x > 0 for x in pair)]
        if not whole:
            return None
        base, other = (geometric_mean(shares) for shares in zip(*whole, strict=True))
        return base, other

    @cached_property
    def bounds(self) -> tuple[Counter[str], Counter[str]]:
        """How many cases each thing binds in the base and in the other; empty if nothing known."""
        base, other = (Counter(_text(case[f"{s}_bound"]) for case in self.cases) for s in _SIDES)
        return base, other


_SIDES = ("base", "other")


def lines(common: Iterable[Row], by: Sequence[str]) -> list[Line]:
    """Cases that all measured, grouped; from the slowest to the fastest.

    Machines stand together where all else is the same, in the order that they came in.

    Args:
        common: rows of `harness.compare.machines.against` that are common to all.
        by: the columns to group by: `BY_LAYER` or `BY_CONFIGURATION`.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for case in common:
        groups.setdefault(tuple(case[name] for name in by), []).append(case)
    found = {group: Line(tuple(members)) for group, members in groups.items()}
    alike: dict[tuple[Any, ...], list[float]] = {}
    for (_, *rest), line in found.items():
        alike.setdefault(tuple(rest), []).append(line.ratio.value)
    return [found[group] for group in sorted(found, key=lambda g: -geometric_mean(alike[g[1:]]))]


def devices_apart(found: Iterable[Line]) -> bool:
    """Whether a machine has lines of several devices, which its name does not tell apart."""
    devices: dict[str, set[str]] = {}
    for line in found:
        devices.setdefault(line.value("machine"), set()).add(line.value("device"))
    return any(len(those) > 1 for those in devices.values())


def defying(found: Iterable[Line]) -> list[Line]:
    """Those that miss what the ceilings let expect, by the most first."""
    return sorted((line for line in found if line.defies), key=_missed, reverse=True)


def _missed(line: Line) -> float:
    assert line.expectation is not None
    return abs(math.log(line.expectation.missed_by.value))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
