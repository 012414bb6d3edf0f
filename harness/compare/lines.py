"""Cases of one layer taken together: what each machine makes of it, and what was to be expected."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

from harness.compare.frames import Row
from harness.compare.pairs import Verdict, ratio_of, verdict
from harness.stats import Interval, geometric_mean, mean_ratio
from harness.store.audit import ROOF_MARGIN

FURTHER = 3.0
"""A layer defies the ceilings if it misses what they let expect by more than so many times what the
middle layer does, on a logarithmic scale. That is 2.0 standard deviations of misses that are
normal there, beyond which one in 23 lies."""
FEWEST = 6
"""Of fewer lines nobody can say what is usual."""
EXACT = ROOF_MARGIN**2
"""No less is called a miss: an expectation rests on two ceilings, each as exact as that."""

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

    def defied(self, band: float) -> bool:
        """Whether the whole interval of the miss lies outside of that factor, either way."""
        return self.missed_by.low > band or self.missed_by.high < 1 / band


@dataclass(frozen=True)
class Usual:
    """How well the ceilings foretell one device of one machine, told by all of its lines.

    The median absolute deviation from what was expected: as long as less than half of the lines
    defy it, they do not widen it. Source: Hampel (1974), doi:10.1080/01621459.1974.10482962.

    Attributes:
        machine: its name.
        device: of the lines.
        miss: the factor by which the middle line misses its expectation, whichever way.
    """

    machine: str
    device: str
    miss: float

    @property
    def band(self) -> float:
        """The factor beyond which a line defies its expectation."""
        return float(max(EXACT, self.miss**FURTHER))


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


def usual(found: Iterable[Line]) -> list[Usual]:
    """What is usual on each machine and device with `FEWEST` lines or more that have expectations.

    Args:
        found: lines of all machines.
    """
    groups: dict[tuple[str, str], list[float]] = {}
    for line in found:
        if line.expectation:
            groups.setdefault(_place(line), []).append(_missed(line))
    return [
        Usual(*place, math.exp(median(misses)))
        for place, misses in sorted(groups.items())
        if len(misses) >= FEWEST
    ]


def defying(found: Iterable[Line]) -> list[Line]:
    """Those that miss what the ceilings let expect far more than is usual, by the most first."""
    lines = list(found)
    bands = {(one.machine, one.device): one.band for one in usual(lines)}
    unusual = (
        line
        for line in lines
        if line.expectation and line.expectation.defied(bands.get(_place(line), math.inf))
    )
    return sorted(unusual, key=_missed, reverse=True)


def _place(line: Line) -> tuple[str, str]:
    return line.value("machine"), line.value("device")


def _missed(line: Line) -> float:
    """How far, on a logarithmic scale, whichever way."""
    assert line.expectation is not None
    return abs(math.log(line.expectation.missed_by.value))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
