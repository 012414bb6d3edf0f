"""Tables of a comparison of machines: a line a layer, what defies the ceilings, what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from harness import units
from harness.compare import Verdict, configuration, records
from harness.compare.lines import Line, devices_apart
from harness.compare.lines import defying as _defying
from harness.report import facets
from harness.report.machines.reasons import reasons
from harness.report.results import some
from harness.report.table import Cell, Table
from harness.stats import Interval

if TYPE_CHECKING:
    import pandas as pd

Columns: TypeAlias = Mapping[str, Callable[[Line], Cell]]

RATIO = "Time ratio (95 % interval)"
_WHERE: Columns = {
    "Layer": lambda line: Cell(line.value("layer")),
    "Mode": lambda line: Cell(line.value("mode")),
}
_CONFIGURATION: Columns = {
    "Framework": lambda line: Cell(configuration(line.value("framework"), line.value("execution"))),
}
_OFTEN_ONE: Columns = {
    "dtype": lambda line: Cell(line.value("dtype")),
    "Threads": lambda line: Cell(line.value("threads")),
}
_DEVICE: Columns = {"Device": lambda line: Cell(line.value("device"))}
_MACHINE: Columns = {"Machine": lambda line: Cell(line.value("machine"))}


def layers(lines: Sequence[Line]) -> Table:
    """A line a layer and mode, all frameworks together."""
    return _table(lines, {**_WHERE, **_place(lines), **_FIGURES})


def configurations(lines: Sequence[Line]) -> Table:
    """The same for each framework, execution, dtype and number of threads."""
    return _table(lines, {**_where(lines), **_FIGURES})


def defying(lines: Sequence[Line]) -> Table:
    """Those lines that miss the ratio that the ceilings let expect, and why that may be."""
    columns = {
        **_where(lines),
        RATIO: _measured,
        "Expected": _expected,
        "Off by (95 % interval)": _missed,
        "Possible reason": lambda line: Cell(reasons(line)),
    }
    return _table(_defying(lines), columns)


def missing(compared: pd.DataFrame, base: str) -> Table:
    """What cannot be compared, and why; a line for all cases of one kind.

    Args:
        compared: what `harness.compare.machines.against` returns.
        base: the name of the base.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for case in records(compared[~compared["common"]]):
        found = (str(case["machine"]), _why(case, base))
        groups.setdefault(found, []).append(str(case["case_id"]))
    return Table.of(
        ("Machine", "What", "Cases", "Which"),
        (
            [machine, why, Cell(str(len(cases)), len(cases)), some(cases)]
            for (machine, why), cases in groups.items()
        ),
    )


def _why(case: Mapping[str, Any], base: str) -> str:
    verdict, machine = case["verdict"], case["machine"]
    if verdict == Verdict.ONLY_IN_BASE:
        return f"only in {base}"
    if verdict == Verdict.ONLY_IN_OTHER:
        return f"only in {machine}"
    if verdict == Verdict.FAILED:
        reason = f": {case['other_reason']}" if case["other_reason"] else ""
        return f"{case['other_status']} on {machine}{reason}"
    if verdict == Verdict.FIXED:
        return f"{case['base_status']} on {base}"
    if verdict == Verdict.NOT_MEASURED:
        return f"{case['base_status']} on {base}, {case['other_status']} on {machine}"
    return "not measured on every machine, and so in no mean"


def _table(lines: Iterable[Line], columns: Columns) -> Table:
    found = list(lines)
    return Table.of(
        columns,
        ([cell(line) for cell in columns.values()] for line in found),
        (facets.of_cases(line.cases) for line in found),
    )


def _where(lines: Sequence[Line]) -> Columns:
    return {
        **_WHERE,
        **_CONFIGURATION,
        **_varying(_OFTEN_ONE, lines),
        **_place(lines),
    }


def _place(lines: Sequence[Line]) -> Columns:
    device = _DEVICE if devices_apart(lines) else {}
    return {**device, **_varying(_MACHINE, lines)}


def _varying(columns: Columns, lines: Sequence[Line]) -> Columns:
    """What is the same in all lines need not be told."""
    return {
        name: cell for name, cell in columns.items() if len({cell(line).text for line in lines}) > 1
    }


def _ratio(line: Line) -> Cell:
    return _interval(line.ratio)


def _measured(line: Line) -> Cell:
    """Of the cases of which something is expected."""
    return _interval(line.expectation.measured) if line.expectation else Cell(units.MISSING)


def _missed(line: Line) -> Cell:
    return _interval(line.expectation.missed_by) if line.expectation else Cell(units.MISSING)


def _interval(ratio: Interval) -> Cell:
    return Cell(units.ratio_interval(ratio.value, ratio.low, ratio.high), ratio.value)


def _expected(line: Line) -> Cell:
    """The expected ratio; of how many cases, where it is not of all."""
    found = line.expectation
    if found is None:
        return Cell(units.MISSING)
    of = "" if found.cases == len(line.cases) else f" ({found.cases} of {len(line.cases)})"
    return Cell(f"{units.ratio(found.ratio)}{of}", found.ratio)


def _rooflines(line: Line) -> Cell:
    if line.rooflines is None:
        return Cell(units.MISSING)
    base, other = line.rooflines
    return Cell(f"{units.percent(base)} → {units.percent(other)}", other)


def _bounds(line: Line) -> Cell:
    before, after = map(_bound, line.bounds)
    return Cell(before if before == after else f"{before} → {after}")


def _bound(found: Counter[str]) -> str:
    """``compute``, or ``compute 3, overhead 1``."""
    told = {bound or "unknown": number for bound, number in found.most_common()}
    if len(told) == 1:
        return next(iter(told))
    return ", ".join(f"{bound} {number}" for bound, number in told.items())


_FIGURES: Columns = {
    RATIO: _ratio,
    "Expected": _expected,
    "Share of roofline": _rooflines,
    "Bound by": _bounds,
    "Cases": lambda line: Cell(str(len(line.cases)), len(line.cases)),
    "Verdict": lambda line: Cell(line.verdict),
}
