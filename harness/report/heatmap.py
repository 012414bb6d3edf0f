"""Speedups in a grid: before it is laid out, whatever its lines and columns are."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness import units
from harness.report.rows import Row
from harness.report.table import Cell, Table, Tone
from harness.stats import Interval
from harness.types import Status

_STRONGEST = 16.0
"""The speedup, or slowdown, from which on the colour is as strong as it gets."""


@dataclass(frozen=True)
class HeatCell:
    """One place of the grid.

    Attributes:
        text: the speedup, or why there is none.
        notes: what stands small below it, a line each.
        strength: from -1, far slower, to 1, far faster; None where there is no speedup.
        unsure: whether its interval contains 1.
        failed: whether it was tried and gave nothing.
    """

    text: str
    notes: tuple[str, ...] = ()
    strength: float | None = None
    unsure: bool = False
    failed: bool = False


@dataclass(frozen=True)
class HeatLine:
    """A name, and a cell a column."""

    name: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True)
class HeatMap:
    """A grid.

    Attributes:
        title: what it is of.
        corner: what the names of lines and columns are.
    """

    title: str
    corner: str
    columns: tuple[str, ...]
    lines: tuple[HeatLine, ...]

    def __bool__(self) -> bool:
        return bool(self.lines)


def cell(base: Row | None, row: Row | None, speedup: Interval | None, *more: str) -> HeatCell:
    """What is told of a row held against its base.

    Args:
        base: None where it was not tried.
        row: likewise.
        speedup: time of the base over that of the row; None where one of them has none.
        more: to stand below the interval of the speedup; not below a failure.
    """
    if row is None:
        return HeatCell(units.MISSING)
    if row.failed:
        return HeatCell(row.status, failed=True)
    if speedup is None:
        alone = base is not None and base.failed and row.status == Status.OK
        return HeatCell("alone" if alone else units.MISSING, more)
    strength = max(-1.0, min(1.0, math.log(speedup.value) / math.log(_STRONGEST)))
    notes = (units.limits(speedup.low, speedup.high), *more)
    return HeatCell(units.ratio(speedup.value), notes, strength, unsure=not speedup.excludes(1.0))


def table(found: HeatMap) -> Table:
    """The same without colours: notes in brackets, a ~ before a speedup that may be none."""
    return Table.of(
        (found.corner, *found.columns),
        ([line.name, *map(_plain, line.cells)] for line in found.lines),
    )


def _plain(cell: HeatCell) -> Cell:
    tone: Tone = "bad" if cell.failed else ""
    text = f"~{cell.text}" if cell.unsure else cell.text
    notes = "; ".join(cell.notes)
    return Cell(f"{text} ({notes})" if notes else text, cell.strength, tone)
