"""The samples of each row, as charts and sentences need them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from harness.report.rows import Row

if TYPE_CHECKING:
    import pandas as pd

Key: TypeAlias = tuple[str, str, str]
"""Machine, run and case: runs of two machines may have one id."""
_LEAST = 1.02
"""Factor between both ends of an axis and its middle at least."""


@dataclass(frozen=True)
class Pass:
    """What one fresh process measured of one case.

    Attributes:
        index: of the pass in its run, from 0.
        samples_s: time of a call, in the order taken.
    """

    index: int
    samples_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        return statistics.median(self.samples_s)


Passes: TypeAlias = Mapping[Key, tuple[Pass, ...]]


def key(row: Row) -> Key:
    """What its passes are found by."""
    return row.machine_id, row.run_id, row.case_id


def by_row(samples: pd.DataFrame | None) -> dict[Key, tuple[Pass, ...]]:
    """The passes of each row that has samples.

    Args:
        samples: what `harness.store.load_samples` returns.
    """
    if samples is None or samples.empty:
        return {}
    samples = samples[samples["counted"]] if "counted" in samples else samples
    found: dict[Key, list[Pass]] = {}
    keys = ["machine_id", "run_id", "case_id", "pass_index"]
    for (machine, run, case, index), times in samples.groupby(keys)["wall_s"]:
        taken = tuple(float(time) for time in times if math.isfinite(time) and time > 0)
        if taken:
            of_row = found.setdefault((str(machine), str(run), str(case)), [])
            of_row.append(Pass(int(str(index)), taken))
    return {key: tuple(passes) for key, passes in found.items()}


def span(passes: Sequence[Pass]) -> tuple[float, float, float]:
    """The lower end of an axis that holds all samples, their median, and its upper end, in seconds.

    Args:
        passes: of one row; at least one.
    """
    times = _times(passes)
    middle = statistics.median(times)
    return min(*times, middle / _LEAST), middle, max(*times, middle * _LEAST)


def over_time(passes: Sequence[Pass], most: int) -> list[list[tuple[int, float]]]:
    """Of each pass the samples to draw over time, each with its place in the pass.

    All of them, or about so many: of each stretch of a pass the fastest and the slowest, so that
    none that stands out is lost.
    """
    number = len(_times(passes))
    if number <= most:
        return [list(enumerate(one.samples_s)) for one in passes]
    return [_thinned(one.samples_s, most * len(one.samples_s) // (2 * number)) for one in passes]


def frequencies(
    passes: Sequence[Pass], low: float, high: float, bins: int
) -> tuple[list[int], list[float]]:
    """How many samples lie in each of so many equal parts of a logarithmic axis, and its edges."""
    edges = np.geomspace(low, high, bins + 1)
    counts, _ = np.histogram(_times(passes), edges)
    return counts.tolist(), edges.tolist()


def _times(passes: Sequence[Pass]) -> list[float]:
    return [time for one in passes for time in one.samples_s]


def _thinned(samples: Sequence[float], stretches: int) -> list[tuple[int, float]]:
    """The least and the greatest of each of so many stretches, or of one, in their order."""
    edges = np.linspace(0, len(samples), max(stretches, 1) + 1).astype(int).tolist()
    kept: set[int] = set()
    for start, end in pairwise(edges):
        kept |= {
            min(range(start, end), key=samples.__getitem__),
            max(range(start, end), key=samples.__getitem__),
        }
    return [(place, samples[place]) for place in sorted(kept)]
