"""Where the ratio of two curves passes 1: a geometric grid, then bisection on the log axis.

A point says which of the two is lower only if the whole interval of its ratio does. A crossing
lies between two points that say opposite things, and those two are its interval; so no shape of
the curves is assumed beyond that nothing happens twice between neighbouring points.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from harness.stats import Interval

NARROW = 0.1
"""A crossing is found when the upper end of its interval is at most this much above the lower."""
GRID_FACTOR = 2
MOST_PASSES = 4
"""Where it is the noise that keeps an interval wide, so many times the first passes are made."""
MOST_QUESTIONS = 30
"""The grid is one; ends the search where curves cross all over."""

Side: TypeAlias = Literal["A", "B", ""]


@dataclass(frozen=True, slots=True)
class Point:
    """What is known at one value.

    Attributes:
        ratio: B over A, None if one of them has no figure there.
    """

    value: int
    ratio: Interval | None

    @property
    def lower(self) -> Side:
        """Which of the two is lower with certainty; empty if that cannot be told."""
        if self.ratio is None or not self.ratio.excludes(1.0):
            return ""
        return "B" if self.ratio.value < 1.0 else "A"


@dataclass(frozen=True, slots=True)
class Curve:
    """The points of one comparison, in order of their values.

    Attributes:
        noisy: whether more passes narrow the ratios.
    """

    points: tuple[Point, ...]
    noisy: bool = True


@dataclass(frozen=True, slots=True)
class Crossing:
    """One change of sign.

    Attributes:
        lower: which of the two is lower from here on.
        value: from where on, as the points around it have it.
        low: the largest value before it at which the other one is lower with certainty.
        high: the smallest value behind it at which this one is.
    """

    lower: Side
    value: int
    low: int
    high: int

    @property
    def narrow(self) -> bool:
        """Whether it is found as closely as was set out for."""
        return _narrow(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Question:
    """What to measure next: a value, and how many passes it is to have in all."""

    value: int
    passes: int


Curves: TypeAlias = Mapping[str, Curve]
"""By what is compared, such as latency and memory; one measurement gives a point of each."""


def grid(first: int, last: int) -> tuple[int, ...]:
    """From the first value on each twice the one before, and the last one."""
    values = [first]
    while values[-1] * GRID_FACTOR < last:
        values.append(values[-1] * GRID_FACTOR)
    return tuple(dict.fromkeys((*values, last)))


def search(
    ask: Callable[[Sequence[Question]], Curves], values: Sequence[int], passes: int
) -> Iterator[Curves]:
    """Measures the grid, then where crossings of any curve may lie, and gives what is known.

    Args:
        ask: measures what is asked for, and returns all points known by then.
        values: the grid.
        passes: how many processes measure a point at first.
    """
    asked = dict.fromkeys(values, passes)
    questions = [Question(value, passes) for value in values]
    for _ in range(MOST_QUESTIONS):
        curves = ask(questions)
        yield curves
        wanted = (next_question(curve, asked, passes) for curve in curves.values())
        question = next(filter(None, wanted), None)
        if question is None:
            return
        asked[question.value] = question.passes
        questions = [question]


def next_question(curve: Curve, asked: Mapping[int, int], passes: int) -> Question | None:
    """What would narrow a crossing of this curve; None if all are narrow, or nothing would.

    Args:
        curve: what is known.
        asked: how many passes each value was asked to have, whatever came of it.
        passes: how many a new value is to have.
    """
    for left, right in _brackets(curve.points):
        if _narrow(left.value, right.value):
            continue
        doubtful = [p for p in curve.points if left.value < p.value < right.value and p.ratio]
        outermost = {p.value: p for p in (*doubtful[:1], *doubtful[-1:]) if _promising(p)}
        least = min(outermost, key=lambda value: asked[value], default=None)
        if least is not None and curve.noisy and asked[least] < MOST_PASSES * passes:
            return Question(least, 2 * asked[least])
        for value in _closer(left.value, right.value, doubtful, _zero(curve.points, left, right)):
            if value not in asked:
                return Question(value, passes)
    return None


def _promising(point: Point) -> bool:
    """Whether more passes may well tell which of the two is lower here."""
    assert point.ratio is not None
    return math.log(point.ratio.high / point.ratio.low) < 6 * abs(math.log(point.ratio.value))


def _closer(low: int, high: int, doubtful: Sequence[Point], zero: float) -> Iterator[int]:
    """Values that would narrow a bracket: just beside its zero, else halfway out from the doubtful.

    The two beside the zero are so close that, if both are certain, the crossing is found.
    """
    first, last = (doubtful[0].value, doubtful[-1].value) if doubtful else (high, low)
    step = math.sqrt(1 + NARROW)
    before = min(math.ceil(zero / step), math.ceil(zero) - 1)
    yield from (value for value in (before,) if low < value < first)
    yield from (value for value in (max(int(zero * step), before + 1),) if last < value < high)
    for inner, outer in sorted([(low, first), (last, high)], key=lambda gap: gap[0] / gap[1]):
        middle = round(math.sqrt(inner * outer))
        if outer / inner > 1 + NARROW / 4 and inner < middle < outer:
            yield middle


def crossings(points: Sequence[Point]) -> tuple[Crossing, ...]:
    """Every change of sign that the points show, in order."""
    return tuple(
        Crossing(
            right.lower, math.ceil(round(_zero(points, left, right), 6)), left.value, right.value
        )
        for left, right in _brackets(points)
    )


def _brackets(points: Sequence[Point]) -> list[tuple[Point, Point]]:
    """Pairs of certain points that say opposite things, with none between that is certain."""
    certain = [point for point in points if point.lower]
    return [(p, q) for p, q in itertools.pairwise(certain) if p.lower != q.lower]


def _narrow(low: int, high: int) -> bool:
    return high - low <= 1 or high / low <= 1 + NARROW


def _zero(points: Sequence[Point], left: Point, right: Point) -> float:
    """Where a straight line through the bracket's points, in log and log, passes a ratio of 1."""
    known = [(math.log(p.value), p.ratio) for p in points if left.value <= p.value <= right.value]
    x = [place for place, ratio in known if ratio]
    y = [math.log(ratio.value) for _, ratio in known if ratio]
    widths = [math.log(ratio.high / ratio.low) for _, ratio in known if ratio]
    weights = [1 / max(width, 1e-9) for width in widths]
    slope, level = np.polyfit(x, y, 1, w=weights)
    middle = math.sqrt(left.value * right.value)
    if (slope > 0) != (right.lower == "A"):
        return middle
    zero = math.exp(-level / slope)
    return zero if left.value < zero <= right.value else middle
