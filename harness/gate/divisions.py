"""Whether the order of a series matters: its best division into levels, held against chance.

A series is the logarithms of the latencies of one case, in order; a division is one split into two
levels, or a stretch in between that differs from the rest, so that a slowdown which was mended is
found too. Each is held against the best one of permutations of the series.

Sources: stretches: Olshen et al. (2004), doi:10.1093/biostatistics/kxh008; permutations: Matteson &
James (2014), doi:10.1080/01621459.2013.849605; stopping early: Besag & Clifford (1991),
doi:10.1093/biomet/78.2.301.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

SHORTEST = 3
"""Runs that a level lasts; fewer are an outlier."""
FEWEST = 2 * SHORTEST
"""Runs below which there is nothing to ask."""
FAMILIES = 2
"""Kinds of division: splits and stretches, of which the better counts."""
_OUTLYING = 4.0
"""Standard deviations beyond which a run counts no more than if it lay there."""
_LEVEL_BIAS = 1.5
"""How much too low the autocorrelation φ of n residuals about fitted levels is, for each level, in
(1 + 2 φ) / n; by experiment, as not only the levels but their places were fitted."""
_FURTHER = 0.5
"""Share of the remaining variance that a further level must explain to be taken for one before
anything is tested."""
MOST_CORRELATED = 0.9
_ENOUGH = 50
"""Permutations that divide as well as the series itself, after which it is no change."""
_BATCH = 100
_PER_LEVEL = 20
"""A test may see so many permutations, times one over its level."""

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of a test.

    Attributes:
        p: how often chance alone divides a series as well.
        bounds: where each further level begins: one of a split, two of a stretch; none if the
            series is constant.
    """

    p: float
    bounds: tuple[int, ...]


def tested(series: Floats, level: float) -> Tested:
    """Whether the order of a series matters, and where it is best divided.

    Wild runs, and what neighbours have in common beyond a level, are taken out first, since only
    independent figures may be permuted.

    Args:
        series: `FEWEST` runs or more.
        level: of the test; it sees permutations enough to tell p from it.
    """
    quiet, correlation = tamed(series)
    splits, stretches = _divisions(quiet[None])
    if max(splits.best[0], stretches.best[0]) <= 0:  # constant
        return Tested(1.0, ())
    by_split, by_stretch = _p_values(_whitened(quiet, correlation), level)
    bounds = splits.bounds if by_split <= by_stretch else stretches.bounds
    return Tested(min(1.0, FAMILIES * min(by_split, by_stretch)), bounds)


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
        for family in range(FAMILIES):
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


def clipped(series: Floats, centre: float | None = None) -> Floats:
    """A single wild run moves no level, and hides none. Centred, at the median if not said."""
    centred = series - (np.median(series) if centre is None else centre)
    limit = _OUTLYING * 1.4826 * float(np.median(np.abs(centred)))
    return np.clip(centred, -limit, limit) if limit > 0 else centred


def tamed(series: Floats) -> tuple[Floats, float]:
    """The series with its wild runs clipped about its levels, and its autocorrelation about them.

    A level is no autocorrelation, so what is plainly one is fitted before: the best two, and more
    as long as each explains most of what is left.
    """
    calm = clipped(series)
    levels, number = _fitted(calm)
    residuals = clipped(calm - levels, centre=0.0)
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
    return min(max(found, 0.0), MOST_CORRELATED)


def _whitened(series: Floats, correlation: float) -> Floats:
    """What a first-order autoregression leaves of each run; before the first it was as the first.

    Clipped once more, as a step shows in the run at which it happens as a single wild one.
    """
    before = np.concatenate([series[:1], series[:-1]])
    return clipped(series - correlation * before)
