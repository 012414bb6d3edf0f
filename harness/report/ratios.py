"""Tables of comparisons: framework against framework, and one result against another."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness import compare, units
from harness.compare import Verdict
from harness.report import facets
from harness.report.table import Cell, Table, Tone
from harness.types import Status

if TYPE_CHECKING:
    import pandas as pd

_SIDES = ("machine_id", "device", "base", "other")
"""What is set against what, and where."""

# Slower than another framework is a finding; slower than before is bad news.
_TONES: dict[str, Tone] = {
    Verdict.SLOWER: "bad",
    Verdict.FAILED: "bad",
    Verdict.FASTER: "good",
    Verdict.FIXED: "good",
    Verdict.SAME: "muted",
    Verdict.NOT_MEASURED: "muted",
}
_RANK: dict[str, int] = {
    Verdict.FAILED: 0,
    Verdict.FIXED: 2,
    Verdict.ONLY_IN_BASE: 3,
    Verdict.ONLY_IN_OTHER: 4,
    Verdict.NOT_MEASURED: 5,
}
"""Where a verdict stands in the table; those with a ratio come second."""


def ratio_cell(row: Mapping[str, Any]) -> Cell:
    """``1.45× (1.38–1.53)``."""
    if math.isnan(row["ratio"]):
        return Cell(units.MISSING)
    text = units.ratio_interval(row["ratio"], row["ratio_low"], row["ratio_high"])
    return Cell(text, row["ratio"])


def by_layer(pairs: pd.DataFrame) -> pd.DataFrame:
    """The summary of framework pairs that tables and forest plots show."""
    return compare.summary(pairs, (*_SIDES, "mode", "layer"))


def together(pairs: pd.DataFrame, *more: str) -> pd.DataFrame:
    """The geometric mean over every common case of two configurations on one device.

    Args:
        pairs: what `harness.compare.frameworks` returns.
        more: columns to tell cases apart by, such as ``mode``.
    """
    return compare.summary(pairs, (*_SIDES, *more))


def means(pairs: pd.DataFrame) -> Table:
    """What `together` returns, as a table: the number of common cases stands beside each mean."""
    columns: dict[str, Callable[[Mapping[str, Any]], Cell]] = {
        "Framework": lambda row: Cell(str(row["other"])),
        "Against": lambda row: Cell(str(row["base"])),
        "Common cases": lambda row: Cell(str(row["cases"]), row["cases"]),
        "Time ratio (95 % interval)": ratio_cell,
        "Verdict": lambda row: Cell(row["verdict"]),
    }
    return _ratio_table(columns, compare.records(together(pairs)))


def frameworks(layers: pd.DataFrame) -> Table:
    """What `by_layer` returns, as a table; of each pair and mode the fastest layer first."""
    columns: dict[str, Callable[[Mapping[str, Any]], Cell]] = {
        "Layer": lambda row: Cell(str(row["layer"])),
        "Mode": lambda row: Cell(str(row["mode"])),
        "Framework": lambda row: Cell(str(row["other"])),
        "Against": lambda row: Cell(str(row["base"])),
        "Time ratio (95 % interval)": ratio_cell,
        "Verdict": lambda row: Cell(row["verdict"]),
        "Cases": lambda row: Cell(str(row["cases"]), row["cases"]),
    }
    rows = compare.records(layers)
    groups = list(dict.fromkeys(_group(row) for row in rows))
    return _ratio_table(
        columns, sorted(rows, key=lambda row: (groups.index(_group(row)), row["ratio"]))
    )


def _group(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in (*_SIDES, "mode"))


def _ratio_table(
    columns: dict[str, Callable[[Mapping[str, Any]], Cell]], rows: Sequence[Mapping[str, Any]]
) -> Table:
    """With the device and the machine where there are several."""
    if len({row["device"] for row in rows}) > 1:
        columns = {"Device": lambda row: Cell(str(row["device"])), **columns}
    if len({row["machine_id"] for row in rows}) > 1:
        columns = {"Machine": lambda row: Cell(str(row["machine_id"])), **columns}
    return Table.of(
        columns,
        ([cell(row) for cell in columns.values()] for row in rows),
        (facets.of_configurations(row, row["base"], row["other"]) for row in rows),
    )


def pairs(pairs: pd.DataFrame, left_out: int) -> Table:
    """Pairs of rows that do the same work.

    Args:
        pairs: some of what `harness.compare.frameworks` returns.
        left_out: how many more there are.
    """
    shown = compare.records(pairs)
    return Table.of(
        ("Case", "Framework", "Base", "Other", "Time ratio (95 % interval)", "Memory", "Verdict"),
        (
            [
                str(row["base_case"]),
                str(row["other"]),
                Cell(units.seconds(row["base_s"]), row["base_s"]),
                Cell(units.seconds(row["other_s"]), row["other_s"]),
                ratio_cell(row),
                _memory_cell(row),
                Cell(row["verdict"]),
            ]
            for row in shown
        ),
        (facets.of_configurations(row, row["base"], row["other"]) for row in shown),
        left_out,
    )


def runs(comparison: pd.DataFrame, most: int | None = None) -> Table:
    """Each case of two results: failures first, then from slower to faster.

    Args:
        comparison: what `harness.compare.runs` or `harness.compare.machines.against` returns; of
            several machines each line says which.
        most: so many lines of it, or all.
    """
    columns: dict[str, Callable[[Mapping[str, Any]], Cell]] = {
        "Case": lambda row: Cell(str(row["case_id"])),
        "Base": lambda row: _side_cell(row, "base"),
        "Other": lambda row: _side_cell(row, "other"),
        "Time ratio (95 % interval)": ratio_cell,
        "Memory": _memory_cell,
        "Verdict": lambda row: Cell(_sentence(row), tone=_TONES.get(row["verdict"], "")),
    }
    if "machine" in comparison and len(comparison["machine"].unique()) > 1:
        columns = {
            "Case": columns["Case"],
            "Machine": lambda row: Cell(str(row["machine"])),
            **columns,
        }
    order = sorted(compare.records(comparison), key=_worst_first)[:most]
    return Table.of(
        columns,
        ([cell(row) for cell in columns.values()] for row in order),
        (facets.of_cases([row]) for row in order),
    )


def _memory_cell(row: Mapping[str, Any]) -> Cell:
    if math.isnan(row["memory_ratio"]):
        return Cell(units.MISSING)
    return Cell(units.ratio(row["memory_ratio"]), row["memory_ratio"])


def _sentence(row: Mapping[str, Any]) -> str:
    """The verdict, and why: another way through the framework is another layer in effect."""
    change = row["path_change"]
    return f"{row['verdict']}; the execution path changed: {change}" if change else row["verdict"]


def _side_cell(row: Mapping[str, Any], side: str) -> Cell:
    """The latency on one side, or the status that it has instead."""
    status, latency = row[f"{side}_status"], row[f"{side}_s"]
    if not isinstance(status, str):
        return Cell(units.MISSING)
    if status != Status.OK:
        return Cell(status, tone="bad" if Status(status).failed else "muted")
    return Cell(units.seconds(latency), latency)


def _worst_first(row: Mapping[str, Any]) -> tuple[int, float]:
    rank = _RANK.get(row["verdict"], 1)
    return rank, 0.0 if math.isnan(row["ratio"]) else -row["ratio"]
