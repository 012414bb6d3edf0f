"""Which rows may be held against each other: those that agree in all but what is compared."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from harness import units
from harness.report.rows import Row, machine_suffix, setting_text
from harness.report.table import Cell
from harness.stats import Interval, ratio_interval

_CONDITIONS = (
    "machine_id", "layer", "device", "dtype", "threads", "params", "mode", "batch", "seq",
    "framework", "execution",
)  # fmt: skip


def alike(rows: Iterable[Row], *but: str) -> list[list[Row]]:
    """Groups of rows that agree in every condition but these, in the order of their first rows."""
    kept = [name for name in _CONDITIONS if name not in but]
    groups: dict[tuple[Hashable, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(getattr(row, name) for name in kept), []).append(row)
    return list(groups.values())


def one_build(row: Row, base: Row) -> bool:
    """Whether the two are not of one framework in two versions, as far as these are known."""
    versions = {row.framework_version, base.framework_version} - {""}
    return row.framework != base.framework or len(versions) < 2


def time_ratio(row: Row, base: Row) -> Interval | None:
    """Time of a row over that of its base; None where that is not known, or versions differ."""
    if row.latency is None or base.latency is None or not one_build(row, base):
        return None
    return ratio_interval(row.latency, base.latency)


def ratio_cell(row: Row, base: Row) -> Cell:
    """``1.45× (1.38–1.53)``, or why there is no such ratio."""
    ratio = time_ratio(row, base)
    if ratio is not None:
        return Cell(units.ratio_interval(ratio.value, ratio.low, ratio.high), ratio.value)
    measured = row.latency is not None and base.latency is not None
    return Cell("versions differ" if measured else units.MISSING, tone="muted")


def place(row: Row) -> str:
    """``cpu, float32, 1 thread``, and the machine where there are several."""
    suffix = machine_suffix(row.machine_id, one_machine=row.one_machine)
    return f"{setting_text(row.setting, range(3))}{suffix}"
