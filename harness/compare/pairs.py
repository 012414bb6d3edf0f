"""Pairs of rows of one case in two results, and what any pairs of rows come to.

A ratio is always other over base, of latencies, so above 1 the other one is slower. Its interval
takes the two latencies as independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.compare.frames import Row, anywhere, latest, records
from harness.stats import Interval, ratio_interval
from harness.types import NothingToCompareError, Status, UsageError

if TYPE_CHECKING:
    import pandas as pd

CONDITIONS = ("layer", "device", "mode", "dtype", "threads", "batch", "seq", "params")
"""What two rows must agree in to be the same work."""

LATENCY = ("latency_s", "latency_low_s", "latency_high_s")
RATIO_COLUMNS = ("base_s", "other_s", "ratio", "ratio_low", "ratio_high", "memory_ratio")
RUN_COLUMNS = (
    "case_id",
    "framework",
    "execution",
    *CONDITIONS,
    "base_status",
    "other_status",
    "other_reason",
    *RATIO_COLUMNS,
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


def runs(
    base: pd.DataFrame,
    other: pd.DataFrame,
    names: tuple[str, str] = ("the base", "the other result"),
) -> pd.DataFrame:
    """What became of each case of ``base`` in ``other``, and which cases only one of them has.

    Args:
        base: a result.
        other: another.
        names: of the two, for messages.

    Returns:
        One row a case with `RUN_COLUMNS`, in the order of ``base``, then of ``other``.

    Raises:
        NothingToCompareError: no case is in both, or the base has figures for none of them.
        UsageError: one of the two holds results of several machines.
    """
    import pandas as pd

    before, after = map(_by_case, (base, other), names)
    if not before.keys() & after.keys():
        raise NothingToCompareError(
            f"no case in common: {names[0]} holds {_some(before)}, {names[1]} {_some(after)}; "
            f"{_remedy(before, after)}"
        )
    if not any(_latency(before[case]) for case in before.keys() & after.keys()):
        raise NothingToCompareError(
            f"of {len(before.keys() & after.keys())} common cases {names[0]} measured none: "
            "go on with its run (`layerbench run --resume`), or name another base"
        )
    rows = [_change(before.get(case), after.get(case)) for case in dict.fromkeys([*before, *after])]
    return pd.DataFrame(rows, columns=list(RUN_COLUMNS))


def summary(comparison: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """The geometric mean of the ratios, over the cases that both sides measured.

    The intervals are those of `harness.stats.mean_ratio`, of all groups at once.

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
            verdict=list(map(verdict, ratios)),
        )
    )


def ratio_of(row: Row) -> Interval:
    """The ratio of a row of any comparison, which has one."""
    return Interval(row["ratio"], row["ratio_low"], row["ratio_high"])


def verdict(ratio: Interval | None) -> Verdict:
    """What a ratio says, if there is one."""
    if ratio is None:
        return Verdict.NOT_MEASURED
    if not ratio.excludes(1.0):
        return Verdict.SAME
    return Verdict.SLOWER if ratio.value > 1.0 else Verdict.FASTER


def regressions(comparison: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """The rows of `runs` that failed, vanished, or lie wholly above ``1 + threshold``.

    Args:
        comparison: what `runs` returns.
        threshold: the slowdown that is tolerated, as a fraction: 0.05 for 5 %.
    """
    slower = comparison["ratio_low"] > 1.0 + threshold
    return comparison[slower | comparison["verdict"].isin([Verdict.FAILED, Verdict.ONLY_IN_BASE])]


def _number(row: Row | None, name: str) -> float:
    """A positive figure, or NaN for any that is missing or can have no ratio."""
    value = row[name] if row else math.nan
    if isinstance(value, int | float) and math.isfinite(value) and value > 0:
        return float(value)
    return math.nan


def _latency(row: Row | None) -> Interval | None:
    if row is None or row["status"] != Status.OK:
        return None
    figures = [_number(row, name) for name in LATENCY]
    return None if any(map(math.isnan, figures)) else Interval(*figures)


def _change(base: Row | None, other: Row | None) -> dict[str, Any]:
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


def _path_change(base: Row | None, other: Row | None) -> str:
    """``A → B`` where the two went different ways, as far as both are known; else empty."""
    before, after = ((row.get("execution_path") if row else None) for row in (base, other))
    return f"{before} → {after}" if before and after and before != after else ""


def _ratios(base: Row | None, other: Row | None) -> dict[str, Any]:
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
        "verdict": verdict(ratio),
    }


def _by_case(frame: pd.DataFrame, name: str) -> dict[str, Row]:
    machines = [] if frame.empty else sorted(map(str, frame["machine_id"].unique()))
    if len(machines) > 1:
        raise UsageError(
            f"{name} holds results of {len(machines)} machines ({', '.join(machines)}); "
            "name the folder of one"
        )
    return {str(row["case_id"]): row for row in records(latest(frame))}


def _remedy(before: Mapping[str, Row], after: Mapping[str, Row]) -> str:
    here, there = (set(map(anywhere, side.values())) for side in (before, after))
    if here & there:
        return "they ran on other devices or threads, which `--across-devices` sets side by side"
    return "run the same sweep for both"


def _some(cases: Mapping[str, Row]) -> str:
    return f"{len(cases)} such as {next(iter(cases))}" if cases else "none"
