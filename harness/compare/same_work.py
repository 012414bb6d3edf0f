"""Pairs of rows of one result that do the same work in different frameworks."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.compare.frames import configuration, configuration_order, latest, values
from harness.compare.pairs import CONDITIONS, LATENCY, RATIO_COLUMNS, verdict
from harness.stats import Interval, ratio_interval
from harness.types import Status

if TYPE_CHECKING:
    import pandas as pd

PAIR_COLUMNS = (
    "machine_id",
    *CONDITIONS,
    "base",
    "other",
    "base_case",
    "other_case",
    "same_run",
    *RATIO_COLUMNS,
    "verdict",
)


def frameworks(frame: pd.DataFrame) -> pd.DataFrame:
    """Every pair of measured rows that do the same work on one machine in different frameworks.

    The executions of a pair may differ, as a tf.function has no eager counterpart in torch; so
    ``base`` and ``other`` name framework and execution. Of a case measured in several runs the
    latest counts; ``same_run`` says whether both rows are from one run.

    Returns:
        One row a pair with `PAIR_COLUMNS`; no rows where nothing can be paired.
    """
    import pandas as pd

    if frame.empty:
        return pd.DataFrame(columns=list(PAIR_COLUMNS))
    measured = _measured(latest(frame))
    configurations = [values(measured[name]) for name in ("framework", "execution")]
    names = list(map(configuration, *configurations))
    order = list(map(configuration_order, *configurations))
    same_work: dict[Hashable, list[int]] = {}
    for place, work in enumerate(_works(measured)):
        same_work.setdefault(work, []).append(place)
    pairs = [
        (base, other)
        for places in same_work.values()
        for base, other in combinations(sorted(places, key=order.__getitem__), 2)
        if order[base][1] != order[other][1]
    ]
    bases, others = ([pair[side] for pair in pairs] for side in (0, 1))
    base, other = (measured.iloc[side].reset_index(drop=True) for side in (bases, others))
    latency = [Interval(*figures) for figures in measured[list(LATENCY)].itertuples(index=False)]
    ratios = [ratio_interval(latency[after], latency[before]) for before, after in pairs]
    return base[["machine_id", *CONDITIONS]].assign(
        base=[names[place] for place in bases],
        other=[names[place] for place in others],
        base_case=base["case_id"],
        other_case=other["case_id"],
        same_run=base["run_id"] == other["run_id"],
        base_s=base["latency_s"],
        other_s=other["latency_s"],
        ratio=[ratio.value for ratio in ratios],
        ratio_low=[ratio.low for ratio in ratios],
        ratio_high=[ratio.high for ratio in ratios],
        memory_ratio=_positive(other["peak_memory_bytes"]) / _positive(base["peak_memory_bytes"]),
        verdict=list(map(verdict, ratios)),
    )


def _measured(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with a latency that can have a ratio."""
    figures = frame[list(LATENCY)]
    good = ((figures > 0) & (figures < np.inf)).all(axis=1)
    return frame[good & (frame["status"] == str(Status.OK))]


def _works(frame: pd.DataFrame) -> Iterator[tuple[Hashable, ...]]:
    """What each row's work is: equal for rows that do the same on the same machine."""
    sorted_params: dict[int, tuple[Any, ...]] = {}  # by identity, as rows share them
    for params in frame["params"]:
        if id(params) not in sorted_params:
            items = params.items() if isinstance(params, Mapping) else ()
            sorted_params[id(params)] = tuple(sorted(items))
    names = ("machine_id", *CONDITIONS[:-1])
    return zip(
        *(values(frame[name]) for name in names),
        (sorted_params[id(params)] for params in frame["params"]),
        strict=True,
    )


def _positive(figures: pd.Series[float]) -> pd.Series[float]:
    """NaN for any that is missing or can have no ratio."""
    return figures.where((figures > 0) & (figures < np.inf))
