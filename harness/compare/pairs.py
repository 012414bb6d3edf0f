"""Pairs of rows: of two frameworks within a result, or of one case in two results.

A ratio is always other over base, of latencies, so above 1 the other one is slower. Its interval
takes the two latencies as independent.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from enum import StrEnum
from itertools import combinations
from typing import TYPE_CHECKING, Any

from harness.compare.frames import (
    Row,
    anywhere,
    configuration,
    configuration_order,
    latest,
    records,
)
from harness.stats import Interval, geometric_mean, ratio_interval
from harness.types import NothingToCompareError, Status, UsageError

if TYPE_CHECKING:
    import pandas as pd

CONDITIONS = ("layer", "device", "mode", "dtype", "threads", "batch", "seq", "params")
"""What two rows must agree in to be the same work."""

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


def frameworks(frame: pd.DataFrame) -> pd.DataFrame:
    """Every pair of measured rows that do the same work on one machine in different frameworks.

    The executions of a pair may differ, as a tf.function has no eager counterpart in torch; so
    ``base`` and ``other`` name framework and execution. Of a case measured in several runs the
    latest counts; ``same_run`` says whether both rows are from one run.

    Returns:
        One row a pair with `PAIR_COLUMNS`; no rows where nothing can be paired.
    """
    import pandas as pd

    same_work: dict[Hashable, list[Row]] = {}
    for row in records(latest(frame)):
        if _latency(row) is not None:
            same_work.setdefault((row["machine_id"], *_conditions(row)), []).append(row)
    pairs = [
        _pair(base, other)
        for rows in same_work.values()
        for base, other in combinations(sorted(rows, key=_order), 2)
        if base["framework"] != other["framework"]
    ]
    return pd.DataFrame(pairs, columns=list(PAIR_COLUMNS))


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

    The interval is that of `mean_ratio`.

    Args:
        comparison: what `frameworks` or `runs` returns.
        by: columns to group by; one row for everything if there are none.

    Returns:
        The columns ``by``, then cases (their number), ratio, ratio_low, ratio_high, verdict.
    """
    import pandas as pd

    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in records(comparison):
        if not math.isnan(row["ratio"]):
            groups.setdefault(tuple(row[name] for name in by), []).append(row)
    rows = []
    for key, members in groups.items():
        mean = mean_ratio(members)
        rows.append((*key, len(members), mean.value, mean.low, mean.high, verdict(mean)))
    return pd.DataFrame(rows, columns=[*by, "cases", "ratio", "ratio_low", "ratio_high", "verdict"])


def mean_ratio(members: Sequence[Row]) -> Interval:
    """The geometric mean of the ratios of some cases, of which each has one.

    Its limits are the geometric means of the single limits. The errors of the cases are not
    independent, as they share worker processes; the standard error of a mean never exceeds the mean
    of the standard errors, so this interval is wide enough whatever they share. It holds for these
    cases on these machines and says nothing about others.
    """
    return Interval(
        *(
            geometric_mean(row[name] for row in members)
            for name in ("ratio", "ratio_low", "ratio_high")
        )
    )


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


def _conditions(row: Row) -> tuple[Hashable, ...]:
    import pandas as pd

    params = row["params"] if isinstance(row["params"], Mapping) else {}
    seq: int | None = None if pd.isna(row["seq"]) else int(row["seq"])
    return *(row[name] for name in CONDITIONS[:-2]), seq, tuple(sorted(params.items()))


def _order(row: Row) -> tuple[bool, str, int]:
    return configuration_order(row["framework"], row["execution"])


def _number(row: Row | None, name: str) -> float:
    """A positive figure, or NaN for any that is missing or can have no ratio."""
    value = row[name] if row else math.nan
    if isinstance(value, int | float) and math.isfinite(value) and value > 0:
        return float(value)
    return math.nan


def _latency(row: Row | None) -> Interval | None:
    if row is None or row["status"] != Status.OK:
        return None
    figures = [_number(row, f"latency{part}_s") for part in ("", "_low", "_high")]
    return None if any(map(math.isnan, figures)) else Interval(*figures)


def _pair(base: Row, other: Row) -> dict[str, Any]:
    return {
        **{name: base[name] for name in ("machine_id", *CONDITIONS)},
        "base": configuration(base["framework"], base["execution"]),
        "other": configuration(other["framework"], other["execution"]),
        "base_case": base["case_id"],
        "other_case": other["case_id"],
        "same_run": base["run_id"] == other["run_id"],
        **_ratios(base, other),
    }


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
