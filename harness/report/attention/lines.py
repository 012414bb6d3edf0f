"""What is drawn over the length: a panel a figure and mode, a line a variant."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness import units
from harness.report.attention.study import Kind, Study, Variant
from harness.report.canvas import HUES, INK, MARKERS, MUTED, Style
from harness.report.panels import LATENCY, MEMORY, Line, Metric, Panel, per_second
from harness.report.rows import Row
from harness.stats import Interval
from harness.types import Status


def _rate(row: Row) -> Interval | None:
    """Useful work over the latency: scores that are masked out do not count."""
    if row.flop_per_s is None or row.latency is None:
        return None
    return per_second(row.flop_per_s * row.latency.value, row.latency)


RATE = Metric(
    "Achieved FLOP/s",
    _rate,
    lambda value: units.quantity(value, "FLOP/s"),
    lambda value: units.quantity_tick(value, "FLOP/s"),
)
METRICS = (LATENCY, MEMORY, RATE)

COLOURS = {
    Kind.FUSED: INK,
    Kind.PLAIN: INK,
    Kind.DENSE: MUTED,
    Kind.SPARSE: HUES[1],
    Kind.APPROXIMATE: HUES[0],
    Kind.OTHER: HUES[2],
}
_DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 1.5, 1, 1.5)))
"""Those of one kind share a colour: markers, then dashes, tell them apart."""


@dataclass(frozen=True)
class Failures:
    """Variants that failed alike: how, and at which lengths."""

    names: tuple[str, ...]
    status: str
    lengths: tuple[int, ...]


def panel(study: Study, metric: Metric) -> Panel:
    """One drawing; its lines bear the labels of the variants."""
    found = (_line(variant, metric) for variant in study.variants)
    held = study.setting.batch
    return Panel(metric, study.mode, "seq", held, study.lengths, tuple(filter(_any, found)))


def _any(line: Line) -> bool:
    return bool(line.points or line.failures)


def _line(variant: Variant, metric: Metric) -> Line:
    figures = {n: metric.figure(row) for n, row in variant.rows.items() if row.status == Status.OK}
    points = tuple(
        (n, figure)
        for n, figure in figures.items()
        if figure and figure.value > 0 and math.isfinite(figure.value)
    )
    failures = tuple((n, row.status) for n, row in variant.rows.items() if row.failed)
    return Line(variant.label, points, failures)


def failures(panel: Panel) -> tuple[Failures, ...]:
    """Those of a panel, with all that failed alike together; the shortest length first."""
    alike: dict[tuple[tuple[int, ...], str], list[str]] = {}
    for line in panel.lines:
        for status in dict.fromkeys(status for _, status in line.failures):
            places = tuple(n for n, found in line.failures if found == status)
            alike.setdefault((places, status), []).append(line.series)
    ordered = sorted(alike, key=lambda key: (-len(key[0]), key))
    return tuple(Failures(tuple(alike[key]), key[1], key[0]) for key in ordered)


def looks(studies: Sequence[Study]) -> Mapping[str, Style]:
    """How each variant looks, by its label: colour by kind, marker and dash within it."""
    kinds = {variant.label: variant.kind for study in studies for variant in study.variants}
    members = {kind: [label for label in kinds if kinds[label] is kind] for kind in Kind}
    return {label: _style(kind, members[kind].index(label)) for label, kind in kinds.items()}


def _style(kind: Kind, index: int) -> Style:
    dash = _DASHES[1] if kind is Kind.PLAIN else _DASHES[index // len(MARKERS) % len(_DASHES)]
    marker = MARKERS[index % len(MARKERS)]
    return Style(COLOURS[kind], marker, dash, filled=kind is not Kind.PLAIN)
