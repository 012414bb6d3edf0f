"""Speedup over the dense baseline and density: variants, the sparsest last, by sequence length."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness import units
from harness.report.attention.sides import point
from harness.report.attention.study import DENSE_KINDS, Study, Variant
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
        density: share of full attention's scores that count, as text; empty if not known.
        strength: from -1, far slower, to 1, far faster; None where there is no speedup.
        unsure: whether its interval contains 1.
        failed: whether it was tried and gave nothing.
    """

    text: str
    density: str = ""
    strength: float | None = None
    unsure: bool = False
    failed: bool = False


@dataclass(frozen=True)
class HeatLine:
    """A variant: its name, and a cell a length."""

    name: str
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
    ordered = sorted(others, key=lambda v: (v.kind not in DENSE_KINDS, -_keys(v)))
    return HeatMap(study.mode, study.lengths, tuple(_line(study, v) for v in ordered))


def _keys(variant: Variant) -> float:
    """That a query attends to, on average, at the greatest length of which the density is known.

    Most patterns keep their number while their density falls with the length, so that it ranks
    variants that do not reach the same length.
    """
    return max(((n, n * share) for n, share in variant.densities.items()), default=(0, 0.0))[1]


def _line(study: Study, variant: Variant) -> HeatLine:
    cells = (_cell(study.base.get(n), variant.rows.get(n)) for n in study.lengths)
    return HeatLine(variant.name, tuple(cells))


def _cell(base: Row | None, row: Row | None) -> HeatCell:
    if row is None:
        return HeatCell(units.MISSING)
    if row.failed:
        return HeatCell(row.status, failed=True)
    density = "" if row.density is None else units.percent(row.density)
    ratio = point(row, base, LATENCY)
    if ratio.ratio is None:
        alone = base is not None and base.failed and row.status == Status.OK
        return HeatCell("alone" if alone else units.MISSING, density)
    speedup = ratio.ratio.value
    strength = max(-1.0, min(1.0, math.log(speedup) / math.log(_STRONGEST)))
    return HeatCell(units.ratio(speedup), density, strength, unsure=not ratio.lower)


def table(found: HeatMap) -> Table:
    """The same without colours: a density in brackets, a ~ before a speedup that may be none."""
    return Table.of(
        ("Variant", *map(str, found.lengths)),
        ([line.name, *map(_plain, line.cells)] for line in found.lines),
    )


def _plain(cell: HeatCell) -> Cell:
    tone: Tone = "bad" if cell.failed else ""
    text = f"~{cell.text}" if cell.unsure else cell.text
    return Cell(f"{text} ({cell.density})" if cell.density else text, cell.strength, tone)
