"""Speedup over the dense baseline: variants, the sparsest last, by sequence length."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness import units
from harness.report.attention.sides import point
from harness.report.attention.study import Study, Variant, density
from harness.report.rows import Row
from harness.report.table import Cell, Table, Tone
from harness.search.pairs import LATENCY
from harness.types import Status

_STRONGEST = 16.0
"""The speedup, or slowdown, from which on the colour is as strong as it gets."""


@dataclass(frozen=True)
class HeatCell:
    """One variant at one length.

    Attributes:
        text: the speedup, or why there is none.
        strength: from -1, far slower, to 1, far faster; None where there is no speedup.
        unsure: whether its interval contains 1.
        failed: whether it was tried and gave nothing.
    """

    text: str
    strength: float | None = None
    unsure: bool = False
    failed: bool = False


@dataclass(frozen=True)
class HeatLine:
    """A variant: its name, the share of scores it computes, and a cell a length."""

    name: str
    density: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True)
class HeatMap:
    """The lines of one mode."""

    mode: str
    lengths: tuple[int, ...]
    lines: tuple[HeatLine, ...]

    def __bool__(self) -> bool:
        return bool(self.lines)


def heatmap(study: Study) -> HeatMap:
    """Every variant but the baseline; those of no density come last, as they have no scores."""
    others = [variant for variant in study.variants if variant.rows != study.base]
    ordered = sorted(others, key=lambda v: -1.0 if v.density is None else v.density, reverse=True)
    return HeatMap(study.mode, study.lengths, tuple(_line(study, v) for v in ordered))


def _line(study: Study, variant: Variant) -> HeatLine:
    cells = (_cell(study.base.get(n), variant.rows.get(n)) for n in study.lengths)
    return HeatLine(variant.name, density(variant), tuple(cells))


def _cell(base: Row | None, row: Row | None) -> HeatCell:
    if row is None:
        return HeatCell(units.MISSING)
    if row.failed:
        return HeatCell(row.status, failed=True)
    ratio = point(row, base, LATENCY)
    if ratio.ratio is None:
        alone = base is not None and base.failed and row.status == Status.OK
        return HeatCell("alone" if alone else units.MISSING)
    speedup = ratio.ratio.value
    strength = math.log(speedup) / math.log(_STRONGEST)
    return HeatCell(units.ratio(speedup), max(-1.0, min(1.0, strength)), unsure=not ratio.lower)


def table(found: HeatMap) -> Table:
    """The same without colours; a speedup that may be none stands behind a ~."""
    return Table.of(
        ("Variant", "Density", *map(str, found.lengths)),
        ([line.name, line.density, *map(_plain, line.cells)] for line in found.lines),
    )


def _plain(cell: HeatCell) -> Cell:
    tone: Tone = "bad" if cell.failed else ""
    return Cell(f"~{cell.text}" if cell.unsure else cell.text, cell.strength, tone)
