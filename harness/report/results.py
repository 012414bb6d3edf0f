"""Tables of what was measured, of what failed, and of what carries a warning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from harness import units
from harness.report import facets, legend
from harness.report.rows import (
    MEMORY_PARTS,
    NOT_MEASURED,
    Row,
    by_layer,
    mode_order,
    ordered_series,
    setting_text,
    varying_parts,
)
from harness.report.table import Cell, Table
from harness.types import Status

BREAK = "  "
"""Where a cell may go on in the next line."""
_NAMED_CASES = 3


def status_cell(row: Row) -> Cell:
    """``ok`` quietly, a failure loudly."""
    tone = "bad" if row.failed else "" if row.status == Status.OK else "muted"
    return Cell(row.status, tone=tone)  # type: ignore[arg-type]


def latency_cell(row: Row) -> Cell:
    """The median latency, marked where unsettled, with its interval; or else why there is none."""
    if row.latency is None:
        return Cell(units.MISSING) if row.status == Status.OK else status_cell(row)
    cell = _median_cell(row)
    median, space, limits = cell.text.partition(" (")
    return Cell(f"{median}{legend.marks(row)}{space}{limits}", cell.figure)


def _median_cell(row: Row) -> Cell:
    if row.latency is None:
        return Cell(units.MISSING)
    text = units.seconds_interval(row.latency.value, row.latency.low, row.latency.high)
    return Cell(text, row.latency.value)


def _memory_cell(row: Row) -> Cell:
    """Less than can be read sorts below whatever could be."""
    if row.memory_below_resolution:
        return Cell(row.peak_memory, 0.0, bound=True)
    return Cell(row.peak_memory, row.peak_memory_bytes)


def allocated(row: Row) -> str:
    """``3.00 MiB = 1.00 MiB parameters + 2.00 MiB outputs``, those of no size left out.

    Where parts are not known that is said, as a framework may not tell them. Of a case without a
    latency nothing is said then.
    """
    parts = row.memory_parts
    unknown = len(parts) < len(MEMORY_PARTS)
    if unknown and not row.latency:
        return ""
    if not parts:
        return "not known"
    named = [f"{units.size(size)} {word}" for word, size in parts.items() if size]
    total = " = ".join(filter(None, [units.size(sum(parts.values())), " + ".join(named)]))
    return f"at least {total}; the rest is not known" if unknown else total


def _count_cell(value: float | None) -> Cell:
    return Cell(units.MISSING if value is None else f"{value:.0f}", value)


def latency_and_memory_cell(row: Row) -> Cell:
    """``1.23ms† ±3.1%  16.0MiB``: median latency with its marks, half its interval, peak memory.

    Set tight, for a terminal.
    """
    if row.latency is None:
        return latency_cell(row)
    median = units.seconds(row.latency.value).replace(" ", "") + legend.marks(row)
    half_width = units.percent(row.latency.relative_half_width).replace(" ", "")
    memory = row.peak_memory.replace(" ", "")
    return Cell(f"{median} ±{half_width}{BREAK}{memory}", row.latency.value)


def latency(
    rows: Sequence[Row], cell: Callable[[Row], Cell] = latency_cell, *, with_layer: bool = False
) -> Table:
    """One line a layer, mode and size, one column a framework and execution.

    Of the setting a line names what varies within a layer.
    """
    columns = ordered_series(rows)
    parts = varying_parts(rows)
    lines: dict[tuple[str, str, str, str], dict[str, Cell]] = {}
    layers = list(by_layer(rows))
    order = sorted(
        rows,
        key=lambda row: (
            layers.index(row.layer),
            row.setting,
            mode_order(row.mode),
            row.batch,
            row.seq or 0,
        ),
    )
    for row in order:
        line = (row.layer, setting_text(row.setting, parts), row.mode, row.shape)
        lines.setdefault(line, {})[row.series] = cell(row)
    shown = (with_layer, bool(parts), True, True)
    header = [
        name for name, show in zip(("Layer", "Setting", "Mode", "Size"), shown, strict=True) if show
    ]
    return Table.of(
        [*header, *columns],
        (
            [
                *(text for text, show in zip(line, shown, strict=True) if show),
                *(cells.get(column, Cell(units.MISSING)) for column in columns),
            ]
            for line, cells in lines.items()
        ),
        ({"mode": mode} for _, _, mode, _ in lines),
    )


def every_row(rows: Sequence[Row], links: Iterable[str] = ()) -> Table:
    """The figures of all rows; columns that nothing was measured for are left out.

    Args:
        rows: one a line.
        links: the id of what tells more of each row, if anything does; `harness.report.cases`.
    """
    columns: dict[str, Callable[[Row], Cell]] = {
        "Case": lambda row: Cell(row.case_id),
        "Machine": lambda row: Cell(row.machine_id),
        "Run": lambda row: Cell(row.run_id),
        "Status": status_cell,
        "Settled": lambda row: Cell(legend.settled(row)),
        "Median (95 % interval)": _median_cell,
        "p90": lambda row: Cell(units.seconds(row.p90_s), row.p90_s),
        "Device time": lambda row: Cell(units.seconds(row.device_time_s), row.device_time_s),
        "First call": lambda row: Cell(units.seconds(row.first_call_s), row.first_call_s),
        "Peak memory": _memory_cell,
        "Items/s": lambda row: Cell(units.quantity(row.throughput_per_s, ""), row.throughput_per_s),
        "Tokens/s": lambda row: Cell(units.quantity(row.tokens_per_s, ""), row.tokens_per_s),
        "FLOP/s": lambda row: Cell(units.quantity(row.flop_per_s, "FLOP/s"), row.flop_per_s),
        "Roofline": lambda row: Cell(units.percent(row.roofline_fraction), row.roofline_fraction),
        "Bound by": lambda row: Cell(row.bound),
        "Parity error": lambda row: Cell(units.error(row.parity_error), row.parity_error),
        "Approximation error": lambda row: Cell(
            units.error(row.approximation_error), row.approximation_error
        ),
        "Density": lambda row: Cell(units.percent(row.density), row.density),
        "Failed checks": _checks_cell,
        "Operators": lambda row: _count_cell(row.operators),
        "Kernels": lambda row: _count_cell(row.kernels),
        "Conversions": lambda row: _count_cell(row.conversions),
    }
    words = {"Bound by", "Failed checks"}
    always = {"Case", "Status", "Settled", "Median (95 % interval)"}
    if not all(row.one_machine for row in rows):
        always.add("Machine")
    if len({row.run_id for row in rows}) > len({row.machine_id for row in rows}):
        always.add("Run")
    cells = {name: [column(row) for row in rows] for name, column in columns.items()}
    for index, link in enumerate(links):
        cells["Case"][index] = replace(cells["Case"][index], link=link)
    shown = [
        name
        for name, column in cells.items()
        if name in always
        or any(cell.figure is not None for cell in column)
        or (name in words and any(cell.text for cell in column))
    ]
    lines = zip(*(cells[name] for name in shown), strict=True)
    return Table.of(shown, lines, (facets.of([row]) for row in rows))


def failures(rows: Iterable[Row]) -> Table:
    """Every row that should have given a figure and did not."""
    failed = [row for row in rows if row.failed]
    return Table.of(
        ("Case", "Status", "Reason"),
        ([row.case_id, status_cell(row), row.reason] for row in failed),
        (facets.of([row]) for row in failed),
    )


def not_measured(rows: Iterable[Row]) -> Table:
    """What a framework does not have, or what makes no sense to ask, with the number of cases."""
    counts: dict[tuple[str, ...], int] = {}
    for row in rows:
        if row.status in NOT_MEASURED:
            key = (row.layer, row.configuration, row.mode, row.status, row.reason)
            counts[key] = counts.get(key, 0) + 1
    return Table.of(
        ("Layer", "Framework", "Mode", "Status", "Reason", "Cases"),
        ([*key, Cell(str(number), number)] for key, number in counts.items()),
    )


def warnings(rows: Iterable[Row]) -> Table:
    """Each warning once, with the cases that carry it; the commonest first."""
    cases: dict[str, list[str]] = {}
    for row in rows:
        for text in row.warnings:
            cases.setdefault(text, []).append(row.case_id)
    common = sorted(cases.items(), key=lambda item: -len(item[1]))
    return Table.of(
        ("Warning", "Rows", "Cases"),
        ([text, Cell(str(len(ids)), len(ids)), some(ids)] for text, ids in common),
    )


def failed_checks(rows: Iterable[Row]) -> Table:
    """Each row that failed a check of itself; its warnings say with which figure."""
    return Table.of(
        ("Case", "Failed checks"),
        ([row.case_id, _checks_cell(row)] for row in rows if row.audit),
    )


def _checks_cell(row: Row) -> Cell:
    return Cell(", ".join(row.audit), tone="bad" if row.audit else "")


def some(case_ids: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    rest = len(case_ids) - _NAMED_CASES
    named = ", ".join(case_ids[:_NAMED_CASES])
    return f"{named} and {rest} more" if rest > 0 else named
