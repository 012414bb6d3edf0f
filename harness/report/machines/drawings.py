"""Draws how machines do against the base: forest plots of the ratio by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness import units
from harness.compare.lines import Line, devices_apart
from harness.report.canvas import Style, styles
from harness.report.charts import swatch
from harness.report.forest import fastest_first, forest, shared_limits
from harness.report.page import Figure
from harness.report.rows import mode_order


def key(machines: Sequence[str]) -> list[Figure]:
    """The name of each machine with its swatch; none where there is one only."""
    looks = _styles(machines) if len(machines) > 1 else {}
    return [
        Figure(name, Markup(swatch(style, f"machines-key{index}")))
        for index, (name, style) in enumerate(looks.items())
    ]


@dataclass(frozen=True)
class Plot:
    """What one drawing holds.

    Attributes:
        title: the mode, and the device where machines have several.
        mode: alone.
        ratios: as `harness.report.forest` takes them, the fastest layer first.
        limits: of the axis, the same in each drawing.
        looks: of each machine.
    """

    title: str
    mode: str
    ratios: tuple[Mapping[str, Any], ...]
    limits: tuple[float, float]
    looks: Mapping[str, Style]


def plots(lines: Sequence[Line], machines: Sequence[str]) -> list[Plot]:
    """One a mode, and a device where machines have several.

    Args:
        lines: one a machine, device, layer and mode.
        machines: the names of all, in order.
    """
    return list(_plots(lines, _styles(machines))) if lines else []


def forests(plots: Sequence[Plot]) -> list[Figure]:
    """Each of them as a drawing for a page."""
    return [_forest(plot, f"machines{index}") for index, plot in enumerate(plots)]


def _forest(plot: Plot, key: str) -> Figure:
    figures = "; ".join(
        f"{row['layer']}, {row['other']}: {units.ratio(row['ratio'])}" for row in plot.ratios
    )
    description = f"Time ratios by layer, {plot.title}. {figures}."
    drawing = forest(plot.ratios, (), plot.limits, plot.looks, key, description)
    return Figure(plot.title, Markup(drawing), mode=plot.mode)


def _styles(machines: Sequence[str]) -> dict[str, Style]:
    return styles({name: (name, "eager") for name in machines})


def _plots(lines: Sequence[Line], looks: Mapping[str, Style]) -> Iterator[Plot]:
    limits = shared_limits([_ratio(line) for line in lines])
    apart = devices_apart(lines)
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        group = tuple(line.value(name) for name in (("mode", "device") if apart else ("mode",)))
        groups.setdefault(group, []).append(line)
    in_order = sorted(groups.items(), key=lambda item: (mode_order(item[0][0]), item[0]))
    for group, members in in_order:
        ratios = fastest_first(list(map(_ratio, members)))
        yield Plot(", ".join(group), members[0].value("mode"), tuple(ratios), limits, looks)


def _ratio(line: Line) -> dict[str, Any]:
    """As `harness.report.forest` takes them."""
    ratio = line.ratio
    return {
        "layer": line.value("layer"),
        "other": line.value("machine"),
        "ratio": ratio.value,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "cases": len(line.cases),
    }
