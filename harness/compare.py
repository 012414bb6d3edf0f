"""Sets measured rows against each other: frameworks within a result, or one result with another.

Frames in, frames out; a row of the input is a case as `harness.store.load` gives it. A ratio is
always other over base, of latencies, so above 1 the other one is slower. Its interval takes the
two latencies as independent.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from harness.stats import Interval, ratio_interval
from harness.types import EXECUTIONS, NothingToCompareError, Status, UsageError

if TYPE_CHECKING:
    import pandas as pd

_Row: TypeAlias = Mapping[str, Any]

CONDITIONS = ("layer", "device", "mode", "dtype", "threads", "batch", "seq", "params")
"""What two rows must agree in to be the same work."""

_LATENCY = ("latency_s", "latency_low_s", "latency_high_s")
_RATIO_COLUMNS = ("base_s", "other_s", "ratio", "ratio_low", "ratio_high", "memory_ratio")
PAIR_COLUMNS = (
    "machine_id",
    *CONDITIONS,
    "base",
    "other",
    "base_case",
    "other_case",
    "same_run",
    *_RATIO_COLUMNS,
    "verdict",
)
RUN_COLUMNS = (
    "case_id",
    "framework",
    "execution",
    *CONDITIONS,
    "base_status",
    "other_status",
    "other_reason",
    *_RATIO_COLUMNS,
    "path_change",
    "verdict",
)


class Verdict(StrEnum):
    """What a comparison of two rows says of the other one."""

    SLOWER = "slower"
    """The interval of the ratio lies wholly above 1."""
    FASTER = "faster"
    SAME = "no difference seen"
    FAILED = "failed"
    """Ok in the base, not ok in the other."""
    FIXED = "fixed"
    NOT_MEASURED = "not measured"
    """Ok in neither."""
    ONLY_IN_BASE = "only in base"
    ONLY_IN_OTHER = "only in other"


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dicts by column name."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def values(column: pd.Series[Any]) -> list[Any]:
    """A column as Python's own values, None where one is missing; equal texts are one object."""
    import pandas as pd

    if isinstance(column.dtype, pd.StringDtype):
        codes, known = pd.factorize(column)
        texts = [*known.astype(object), None]  # the code of what is missing is -1
        return [texts[code] for code in codes.tolist()]
    found: list[Any] = column.astype(object).tolist()
    for place in np.flatnonzero(column.isna()):
        found[place] = None
    return found


def latest(frame: pd.DataFrame) -> pd.DataFrame:
    """Of several rows of one case on one machine, the one of the run that started last."""
    if frame.empty:
        return frame
    case = ["machine_id", "case_id"]
    again = frame.duplicated(case, keep=False)
    if not again.any():  # nothing to sort, which takes seconds of a million rows
        return frame
    newest = frame[again].sort_values("started_at", kind="stable", na_position="first")
    older = newest.index[newest.duplicated(case, keep="last")]
    return frame[~frame.index.isin(older)]


def configuration(framework: str, execution: str) -> str:
    """A framework and how it executes: ``tensorflow compiled``."""
    return f"{framework} {execution}"


def configuration_order(framework: str, execution: str) -> tuple[bool, str, int]:
    """Sorts torch, the usual base of a comparison, first, and eager before compiled."""
    rank = EXECUTIONS.index(execution) if execution in EXECUTIONS else len(EXECUTIONS)
    return framework != "torch", framework, rank


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
    latency = [Interval(*figures) for figures in measured[list(_LATENCY)].itertuples(index=False)]
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
        verdict=list(map(_verdict, ratios)),
    )


def runs(base: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """What became of each case of ``base`` in ``other``, and which cases only one of them has.

    Returns:
        One row a case with `RUN_COLUMNS`, in the order of ``base``, then of ``other``.

    Raises:
        NothingToCompareError: no case is in both, or the base has figures for none of them.
        UsageError: one of the two holds results of several machines.
    """
    import pandas as pd

    before, after = _by_case(base, "base"), _by_case(other, "other result")
    if not before.keys() & after.keys():
        raise NothingToCompareError(
            f"no case in common: the base holds {_some(before)}, the other result {_some(after)}; "
            "run the same sweep for both"
        )
    if not any(_latency(before[case]) for case in before.keys() & after.keys()):
        raise NothingToCompareError(
            f"of {len(before.keys() & after.keys())} common cases the base measured none: "
            "go on with its run (`layerbench run --resume`), or name another base"
        )
    rows = [_change(before.get(case), after.get(case)) for case in dict.fromkeys([*before, *after])]
    return pd.DataFrame(rows, columns=list(RUN_COLUMNS))


def summary(comparison: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """The geometric mean of the ratios, over the cases that both sides measured.

    ``ratio_low`` and ``ratio_high`` are the geometric means of the single limits. The errors of
    the cases are not independent, as they share worker processes; the standard error of a mean
    never exceeds the mean of the standard errors, so this interval is wide enough whatever they
    share. It holds for these cases on this machine and says nothing about others.

    Args:
        comparison: what `frameworks` or `runs` returns.
        by: columns to group by; one row for everything if there are none.

    Returns:
        The columns ``by``, then cases (their number), ratio, ratio_low, ratio_high, verdict.
    """
    known = comparison[comparison["ratio"].notna()]
    keys = list(by)
    group = known.groupby(keys, sort=False, dropna=False).ngroup() if by else known["ratio"] * 0
    number = group.to_numpy(dtype=np.int64)
    _, first, cases = np.unique(number, return_index=True, return_counts=True)
    means = [
        np.exp(np.bincount(number, np.log(known[name].to_numpy(dtype=np.float64))) / cases)
        for name in ("ratio", "ratio_low", "ratio_high")
    ]
    ratios = [Interval(*map(float, mean)) for mean in zip(*means, strict=True)]
    return (
        known[keys]
        .iloc[first]
        .reset_index(drop=True)
        .assign(
            cases=cases,
            ratio=[ratio.value for ratio in ratios],
            ratio_low=[ratio.low for ratio in ratios],
            ratio_high=[ratio.high for ratio in ratios],
            verdict=list(map(_verdict, ratios)),
        )
    )


def regressions(comparison: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """The rows of `runs` that failed, vanished, or lie wholly above ``1 + threshold``.

    Args:
        comparison: what `runs` returns.
        threshold: the slowdown that is tolerated, as a fraction: 0.05 for 5 %.
    """
    slower = comparison["ratio_low"] > 1.0 + threshold
    return comparison[slower | comparison["verdict"].isin([Verdict.FAILED, Verdict.ONLY_IN_BASE])]


def _measured(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with a latency that can have a ratio."""
    figures = frame[list(_LATENCY)]
    good = ((figures > 0) & (figures < math.inf)).all(axis=1)
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
    return figures.where((figures > 0) & (figures < math.inf))


def _number(row: _Row | None, name: str) -> float:
    """A positive figure, or NaN for any that is missing or can have no ratio."""
    value = row[name] if row else math.nan
    if isinstance(value, int | float) and math.isfinite(value) and value > 0:
        return float(value)
    return math.nan


def _latency(row: _Row | None) -> Interval | None:
    if row is None or row["status"] != Status.OK:
        return None
    figures = [_number(row, name) for name in _LATENCY]
    return None if any(map(math.isnan, figures)) else Interval(*figures)


def _change(base: _Row | None, other: _Row | None) -> dict[str, Any]:
    case = other or base
    assert case is not None
    difference: dict[str, Any] = {
        **{name: case[name] for name in ("case_id", "framework", "execution", *CONDITIONS)},
        "base_status": base["status"] if base else None,
        "other_status": other["status"] if other else None,
        "other_reason": other["reason"] if other else None,
        **_ratios(base, other),
        "path_change": _path_change(base, other),
    }
    if base is None:
        difference["verdict"] = Verdict.ONLY_IN_OTHER
    elif other is None:
        difference["verdict"] = Verdict.ONLY_IN_BASE
    elif (base["status"] == Status.OK) != (other["status"] == Status.OK):
        difference["verdict"] = Verdict.FIXED if other["status"] == Status.OK else Verdict.FAILED
    return difference


def _path_change(base: _Row | None, other: _Row | None) -> str:
    """``A → B`` where the two went different ways, as far as both are known; else empty."""
    before, after = ((row.get("execution_path") if row else None) for row in (base, other))
    return f"{before} → {after}" if before and after and before != after else ""


def _ratios(base: _Row | None, other: _Row | None) -> dict[str, Any]:
    before, after = _latency(base), _latency(other)
    ratio = ratio_interval(after, before) if before and after else None
    memory = _number(other, "peak_memory_bytes") / _number(base, "peak_memory_bytes")
    return {
        "base_s": before.value if before else math.nan,
        "other_s": after.value if after else math.nan,
        "ratio": ratio.value if ratio else math.nan,
        "ratio_low": ratio.low if ratio else math.nan,
        "ratio_high": ratio.high if ratio else math.nan,
        "memory_ratio": memory,
        "verdict": _verdict(ratio),
    }


def _verdict(ratio: Interval | None) -> Verdict:
    if ratio is None:
        return Verdict.NOT_MEASURED
    if not ratio.excludes(1.0):
        return Verdict.SAME
    return Verdict.SLOWER if ratio.value > 1.0 else Verdict.FASTER


def _by_case(frame: pd.DataFrame, name: str) -> dict[str, _Row]:
    machines = [] if frame.empty else sorted(map(str, frame["machine_id"].unique()))
    if len(machines) > 1:
        raise UsageError(
            f"the {name} holds results of {len(machines)} machines ({', '.join(machines)}); "
            "name the folder of one"
        )
    return {str(row["case_id"]): row for row in records(latest(frame))}


def _some(cases: Mapping[str, _Row]) -> str:
    return f"{len(cases)} such as {next(iter(cases))}" if cases else "none"
