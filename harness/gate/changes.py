"""Change points in series of latencies: at which run a level moved, and by how much.

A test asks of a whole series whether its order matters: the best division of it into two levels
(one split, or a stretch in between that differs from the rest, so that a slowdown which was mended
is found too) is held against the best divisions of its permutations. If it does, the pieces are
asked in turn. Under independent noise of any distribution the chance of a false change is the
error rate, or less; `harness.verify.history` measures it.

Sources: binary segmentation by permutation: Vostrikova (1981); Matteson & James (2014),
doi:10.1080/01621459.2013.849605. Stretches: Olshen et al. (2004), doi:10.1093/biostatistics/kxh008.
Stopping early: Besag & Clifford (1991), doi:10.1093/biomet/78.2.301. Correction: Holm (1979).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness import stats
from harness.stats import Interval

THRESHOLD = 0.05
"""The smallest relative change that counts, unless asked otherwise."""
ERROR_RATE = 0.05
"""The chance of any false change in a history of flat and independent series, at most."""
SHORTEST = 3
"""Runs that a level lasts; fewer are an outlier."""
FEWEST = 2 * SHORTEST
"""Runs below which there is nothing to ask."""
_FAMILIES = 2
"""Kinds of division: splits and stretches, of which the better counts."""
_OUTLYING = 4.0
"""Standard deviations beyond which a run counts no more than if it lay there."""
_LEVEL_BIAS = 1.5
"""How much too low the autocorrelation φ of n residuals about fitted levels is, for each level, in
(1 + 2 φ) / n; by experiment, as not only the levels but their places were fitted."""
_FURTHER = 0.5
"""Share of the remaining variance that a further level must explain to be taken for one before
anything is tested."""
_MOST_CORRELATED = 0.9
_ENOUGH = 50
"""Permutations that divide as well as the series itself, after which it is no change."""
_BATCH = 100
_PER_LEVEL = 20
"""A test may see so many permutations, times one over its level."""
_POWER_95 = 1.645
_MEDIAN = 1.25
"""How much wider the error of a median is than that of a mean."""

Floats: TypeAlias = NDArray[np.float64]
Levels: TypeAlias = list[tuple[int, int]]
"""Where each begins and ends."""


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


@dataclass(frozen=True, slots=True)
class _Test:
    p: float
    bounds: tuple[int, ...]
    """Of the levels within the series: one of a split, two of a stretch."""


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
    tests = {index: _test(logs[index], level) for index in asked}
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
    return min(1.0, _FAMILIES * 2 / math.comb(runs, after))


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
    correlation = min(_tamed(logs)[1] + 1 / math.sqrt(runs), _MOST_CORRELATED)
    sd = _spread(residuals) * math.sqrt((1 + correlation) / (1 - correlation))
    places = runs - 2 * SHORTEST + 1
    tail = error_rate / max(cases, 1) / _FAMILIES / places
    share = float(betaincinv(0.5, (runs - 2) / 2, 1 - tail))  # of the variance, by chance
    chance = 2 * sd * math.sqrt((runs - 1) / runs * share / (1 - share))
    error = 2 * _POWER_95 * sd / math.sqrt(runs)
    return math.expm1(max(chance + error, math.log1p(threshold) + _MEDIAN * error))


def _divided(series: Floats, start: int, test: _Test, level: float) -> Iterator[tuple[int, float]]:
    """(index, p) of each boundary: those of a test that found some, and those of its pieces."""
    yield from ((start + bound, test.p) for bound in test.bounds)
    for first, end in pairwise((0, *test.bounds, len(series))):
        piece = series[first:end]
        if len(piece) >= FEWEST and (inner := _test(piece, level)).p <= level:
            yield from _divided(piece, start + first, inner, level)


def _test(series: Floats, level: float) -> _Test:
    """Whether the order of a series matters, and where it is best divided.

    Wild runs, and what neighbours have in common beyond a level, are taken out first, since only
    independent figures may be permuted.
    """
    tamed, correlation = _tamed(series)
    splits, stretches = _divisions(tamed[None])
    if max(splits.best[0], stretches.best[0]) <= 0:  # constant
        return _Test(1.0, ())
    by_split, by_stretch = _p_values(_whitened(tamed, correlation), level)
    bounds = splits.bounds if by_split <= by_stretch else stretches.bounds
    return _Test(min(1.0, _FAMILIES * min(by_split, by_stretch)), bounds)


def _p_values(series: Floats, level: float) -> tuple[float, float]:
    """Of the best split and of the best stretch; seeded by the series itself."""
    own = [best[0] * (1 - 1e-9) for best in _best(series[None])]  # ties are no less
    rng = np.random.default_rng(np.frombuffer(series.tobytes(), dtype=np.uint32))
    most = math.ceil(_PER_LEVEL / level)
    as_good, seen = np.zeros(2), 0
    ended: list[float | None] = [None, None]
    while seen < most and None in ended:
        size = min(_BATCH, most - seen)
        permuted = _best(rng.permuted(np.tile(series, (size, 1)), axis=1))
        seen += size
        as_good += [np.sum(best >= mine) for best, mine in zip(permuted, own, strict=True)]
        for family in range(_FAMILIES):
            if ended[family] is None and as_good[family] >= _ENOUGH:
                ended[family] = (1 + as_good[family]) / (1 + seen)
    split, stretch = (
        (1 + number) / (1 + seen) if p is None else p
        for p, number in zip(ended, as_good, strict=True)
    )
    return float(split), float(stretch)


@dataclass(frozen=True, slots=True)
class _Division:
    """The best one of each series, and where the first series has it.

    Attributes:
        best: how much of the sum of squares it explains.
        bounds: within the first series.
    """

    best: Floats
    bounds: tuple[int, ...]


def _best(series: Floats) -> tuple[Floats, Floats]:
    splits, stretches = _divisions(series)
    return splits.best, stretches.best


def _divisions(series: Floats) -> tuple[_Division, _Division]:
    """The best split, and the best stretch, of each of some series, (series, runs).

    Either leaves no piece of fewer than `SHORTEST` runs.
    """
    rows, runs = series.shape
    sums = np.zeros((rows, runs + 1))
    np.cumsum(series - series.mean(axis=1, keepdims=True), axis=1, out=sums[:, 1:])
    inner = sums[:, SHORTEST : runs - SHORTEST + 1]
    places = np.arange(SHORTEST, runs - SHORTEST + 1)
    explained = inner**2 * (runs / (places * (runs - places)))
    splits = _Division(explained.max(axis=1), (SHORTEST + int(explained[0].argmax()),))
    best = np.zeros(rows)
    bounds: tuple[int, ...] = ()
    for length in range(SHORTEST, runs - 2 * SHORTEST + 1):
        within = (inner[:, length:] - inner[:, :-length]) ** 2
        explained = within * (runs / (length * (runs - length)))
        found = explained.max(axis=1)
        if found[0] > best[0]:
            start = SHORTEST + int(explained[0].argmax())
            bounds = (start, start + length)
        np.maximum(best, found, out=best)
    return splits, _Division(best, bounds)


def _clipped(series: Floats, centre: float | None = None) -> Floats:
    """A single wild run moves no level, and hides none. Centred, at the median if not said."""
    centred = series - (np.median(series) if centre is None else centre)
    limit = _OUTLYING * 1.4826 * float(np.median(np.abs(centred)))
    return np.clip(centred, -limit, limit) if limit > 0 else centred


def _tamed(series: Floats) -> tuple[Floats, float]:
    """The series with its wild runs clipped about its levels, and its autocorrelation about them.

    A level is no autocorrelation, so what is plainly one is fitted before: the best two, and more
    as long as each explains most of what is left.
    """
    clipped = _clipped(series)
    levels, number = _fitted(clipped)
    residuals = _clipped(clipped - levels, centre=0.0)
    return levels + residuals, _autocorrelation(residuals, number)


def _fitted(series: Floats) -> tuple[Floats, int]:
    """The level of each run, and how many levels there are."""
    edges = [0, len(series)]
    levels = np.full(len(series), series.mean())
    while True:
        residuals = series - levels
        divided = [
            (division, start)
            for start, end in pairwise(edges)
            if end - start >= FEWEST
            for division in _divisions(residuals[None, start:end])
            if division.bounds
        ]
        best, start = max(divided, key=lambda one: float(one[0].best[0]), default=(None, 0))
        left = float(residuals @ residuals)
        needed = 0.0 if len(edges) == 2 else _FURTHER * left
        if best is None or left <= 1e-20 * float(series @ series) or best.best[0] <= needed:
            return levels, len(edges) - 1
        edges = sorted({*edges, *(start + bound for bound in best.bounds)})
        for first, end in pairwise(edges):
            levels[first:end] = series[first:end].mean()


def _autocorrelation(residuals: Floats, levels: int) -> float:
    """Of neighbouring runs; at least 0. What the fit of the levels took is given back."""
    total = float(residuals @ residuals)
    if total <= 0:
        return 0.0
    found = float(residuals[1:] @ residuals[:-1]) / total
    found += _LEVEL_BIAS * levels * (1 + 2 * found) / len(residuals)
    return min(max(found, 0.0), _MOST_CORRELATED)


def _whitened(series: Floats, correlation: float) -> Floats:
    """What a first-order autoregression leaves of each run; before the first it was as the first.

    Clipped once more, as a step shows in the run at which it happens as a single wild one.
    """
    before = np.concatenate([series[:1], series[:-1]])
    return _clipped(series - correlation * before)


def _spread(residuals: Floats) -> float:
    """Standard deviation, of the part within `_OUTLYING` of it."""
    return float(np.std(_clipped(residuals)))


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
