"""Speedup over the dense baseline and density: variants, the sparsest last, by sequence length."""

from __future__ import annotations

from harness import units
from harness.report.attention.sides import point
from harness.report.attention.study import DENSE_KINDS, Study, Variant
from harness.report.heatmap import HeatCell, HeatLine, HeatMap, cell
from harness.report.rows import Row
from harness.search.pairs import LATENCY


def heatmap(study: Study) -> HeatMap:
    """Every variant but the baseline; those of no density come last, as they have no scores."""
    others = [variant for variant in study.variants if variant.rows != study.base]
    ordered = sorted(others, key=lambda v: (v.kind not in DENSE_KINDS, -_keys(v)))
    lengths = tuple(map(str, study.lengths))
    return HeatMap(study.mode, "Variant", lengths, tuple(_line(study, v) for v in ordered))


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
    """With the interval below the speedup, and the density."""
    density = () if row is None or row.density is None else (units.percent(row.density),)
    return cell(base, row, point(row, base, LATENCY).ratio, *density)
