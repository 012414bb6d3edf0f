"""Change points in series of latencies: at which run a level moved, and by how much.

`harness.gate.divisions` tests whether the order of a whole series matters; where it does, the
pieces are asked in turn (binary segmentation; Vostrikova 1981). Under independent noise of any
distribution the chance of a false change is the error rate, or less; `harness.verify.history`
measures it. Several cases are corrected for as by Holm (1979), Scand. J. Statist. 6, 65-70.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

import numpy as np

from harness import stats
from harness.gate.divisions import (
    FAMILIES,
    FEWEST,
    MOST_CORRELATED,
    SHORTEST,
    Floats,
    Tested,
    clipped,
    tamed,
    tested,
)
from harness.stats import Interval

THRESHOLD = 0.05
"""The smallest relative change that counts, unless asked otherwise."""
ERROR_RATE = 0.05
"""The chance of any false change in a history of flat and independent series, at most."""
_POWER_95 = 1.645
_MEDIAN = 1.25
"""How much wider the error of a median is than that of a mean."""


@dataclass(frozen=True, slots=True)
class Change:
    """A level of a series that differs from what was before.

    Attributes:
        at: index of the first figure of it.
        before: index of the first figure of the level that it is compared with.
        until: index after the last figure of it.
        ratio: the level over the one before, with its 95 % interval.
        p: of the test that found the division; corrected for nothing.
        gradual: whether the figures crept there, by steps below the threshold or along a line,
            so that no single run is where it happened.
        recovered: index of the first figure of a later level that is back: no longer beyond the
            level before by the threshold. None as long as there is none.
    """

    at: int
    before: int
    until: int
    ratio: Interval
    p: float
    gradual: bool
    recovered: int | None

    @property
    def slower(self) -> bool:
        return self.ratio.value > 1


def find(
    histories: Sequence[Sequence[Interval]],
    threshold: float = THRESHOLD,
    error_rate: float = ERROR_RATE,
) -> list[list[Change]]:
    """The changes of several series of one machine, corrected for their number.

    Args:
        histories: for each case its latencies in order, in seconds.
        threshold: the smallest relative change that counts: 0.05 for 5 %. Slower by a factor of
            1 + threshold, or faster by that factor.
        error_rate: the chance of any false change in all of them, if all are flat, at most.

    Returns:
        For each case its changes in order; none of a case with fewer than `FEWEST` figures.
    """
    logs = [np.log([figure.value for figure in series]) for series in histories]
    asked = [index for index, series in enumerate(logs) if len(series) >= FEWEST]
    level = error_rate / max(len(asked), 1)
    tests = {index: tested(logs[index], level) for index in asked}
    found: list[list[Change]] = [[] for _ in histories]
    for rank, index in enumerate(sorted(asked, key=lambda index: tests[index].p)):
        if tests[index].p > error_rate / (len(asked) - rank):
            break
        bounds = dict(_divided(logs[index], 0, tests[index], level))
        found[index] = _changes(histories[index], bounds, math.log1p(threshold))
    return found


def needed_runs(cases: int, error_rate: float = ERROR_RATE) -> int:
    """How many runs it takes until a step in the middle, however large, can be told from chance.

    Of n figures of two clear levels one order in C(n, n / 2) looks as they do, from either side.
    """
    level = error_rate / max(cases, 1)
    return next(n for n in count(FEWEST) if _smallest_p(n, n // 2) <= level)


def runs_after(runs: int, cases: int, error_rate: float = ERROR_RATE) -> int | None:
    """How many runs at a new level it takes to see it at the end of so many runs.

    Returns:
        None if there are too few runs to see anything.
    """
    level = error_rate / max(cases, 1)
    lengths = range(SHORTEST, runs // 2 + 1)
    return next((k for k in lengths if _smallest_p(runs, k) <= level), None)


def _smallest_p(runs: int, after: int) -> float:
    return min(1.0, FAMILIES * 2 / math.comb(runs, after))


def visible(
    series: Sequence[Interval],
    changes: Sequence[Change],
    cases: int,
    threshold: float = THRESHOLD,
    error_rate: float = ERROR_RATE,
) -> float | None:
    """The smallest relative slowdown that would be found 19 times in 20, half-way in this series.

    For normal noise as large, and as correlated, as it is about the levels found.

    Args:
        series: latencies in order.
        changes: what `find` found in it.
        cases: how many series of `FEWEST` runs or more there were.
        threshold: as for `find`.
        error_rate: as for `find`.

    Returns:
        None where no change, however large, could be found.
    """
    from scipy.special import betaincinv

    runs = len(series)
    if runs < needed_runs(cases, error_rate):
        return None
    logs = np.log([figure.value for figure in series])
    edges = [0, *(change.at for change in changes), runs]
    residuals = np.concatenate([logs[a:b] - np.median(logs[a:b]) for a, b in pairwise(edges)])
    # so few runs can tell no better how alike neighbours are
    correlation = min(tamed(logs)[1] + 1 / math.sqrt(runs), MOST_CORRELATED)
    sd = _spread(residuals) * math.sqrt((1 + correlation) / (1 - correlation))
    places = runs - 2 * SHORTEST + 1
    tail = error_rate / max(cases, 1) / FAMILIES / places
    share = float(betaincinv(0.5, (runs - 2) / 2, 1 - tail))  # of the variance, by chance
    chance = 2 * sd * math.sqrt((runs - 1) / runs * share / (1 - share))
    error = 2 * _POWER_95 * sd / math.sqrt(runs)
    return math.expm1(max(chance + error, math.log1p(threshold) + _MEDIAN * error))


def _divided(
    series: Floats, start: int, found: Tested, level: float
) -> Iterator[tuple[int, float]]:
    """(index, p) of each boundary: those of a test that found some, and those of its pieces."""
    yield from ((start + bound, found.p) for bound in found.bounds)
    for first, end in pairwise((0, *found.bounds, len(series))):
        piece = series[first:end]
        if len(piece) >= FEWEST and (inner := tested(piece, level)).p <= level:
            yield from _divided(piece, start + first, inner, level)


def _spread(residuals: Floats) -> float:
    """Standard deviation, of the part within `_OUTLYING` of it."""
    return float(np.std(clipped(residuals)))


def _changes(
    series: Sequence[Interval], bounds: dict[int, float], threshold: float
) -> list[Change]:
    """The boundaries at which the level moved by the threshold, at once or bit by bit.

    Args:
        series: latencies in order.
        bounds: p by index.
        threshold: as a logarithm.
    """
    levels = list(pairwise((0, *sorted(bounds), len(series))))
    figures = [stats.pass_interval(series[start:end]) for start, end in levels]
    logs = [math.log(figure.value) for figure in figures]
    found, reference = [], 0
    for index in range(1, len(levels)):
        at_once = abs(logs[index] - logs[index - 1]) >= threshold
        base = index - 1 if at_once else reference
        move = logs[index] - logs[base]
        if abs(move) < threshold:
            continue
        (before, _), (at, until) = levels[base], levels[index]
        back = (
            levels[later][0]
            for later in range(index + 1, len(levels))
            if math.copysign(1, move) * (logs[later] - logs[base]) < threshold
        )
        creeping = not at_once or _is_line(series[before:until], at - before)
        ratio = stats.ratio_interval(figures[index], figures[base])
        found.append(Change(at, before, until, ratio, bounds[at], creeping, next(back, None)))
        reference = index
    return found


def _is_line(series: Sequence[Interval], at: int) -> bool:
    """Whether a straight line tells the logarithms better than two levels do."""
    logs = np.log([figure.value for figure in series])
    places = np.arange(len(logs))
    line = np.polynomial.Polynomial.fit(places, logs, 1)
    levels = np.where(places < at, logs[:at].mean(), logs[at:].mean())
    return bool(np.sum((logs - line(places)) ** 2) < np.sum((logs - levels) ** 2))
