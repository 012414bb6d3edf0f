"""Draws ratios by layer with their intervals: a forest plot, as SVG to stand in a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness import units
from harness.report.canvas import (
    FONT_SIZE,
    GRID,
    INK,
    VARIABLES,
    Style,
    canvas,
    label,
    marker,
    round_values,
    set_ticks,
)
from harness.report.svg import to_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LANE, _GAP, _TOP, _BOTTOM = 14.0, 9.0, 20.0, 24.0
"""In points: a lane a ratio, the gap between two layers, the margins above and below."""


def shared_limits(ratios: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Limits for the axis of plots that are to be read side by side; 1 is always within."""
    low = min(1.0, *(row["ratio_low"] for row in ratios))
    high = max(1.0, *(row["ratio_high"] for row in ratios))
    return low / 1.35, high * 1.35


def forest(
    ratios: Sequence[Mapping[str, Any]],
    layers: Sequence[str],
    limits: tuple[float, float],
    by_series: Mapping[str, Style],
    key: str,
    description: str,
) -> str:
    """Ratios by layer with their intervals, on a logarithmic axis with a line at 1.

    Args:
        ratios: rows of `harness.report.ratios.by_layer` of one base and mode.
        layers: the lines of the plot from top to bottom; one without a ratio stays empty.
        limits: of the axis, from `shared_limits`.
        by_series: how each of the others looks.
        key: unique in the page.
        description: what the drawing shows, for those who do not see it.
    """
    figure = forest_figure(ratios, layers, limits, by_series)
    return to_svg(figure, key, description, VARIABLES)


def forest_figure(
    ratios: Sequence[Mapping[str, Any]],
    layers: Sequence[str],
    limits: tuple[float, float],
    by_series: Mapping[str, Style],
) -> Figure:
    """What `forest` draws."""
    others = list(by_series)
    band = _LANE * len(others) + _GAP
    height = band * len(layers)
    figure, axes = canvas(420, _TOP + height + _BOTTOM, (150, 56, _TOP, _BOTTOM))
    axes.set_xscale("log")
    axes.set_xlim(limits)
    axes.set_ylim(height, 0)
    set_ticks(axes, "x", round_values(*limits, binary=True, most=5), units.ratio_tick)
    axes.set_yticks([])
    axes.axvline(1.0, color=INK, linewidth=1.0)
    label(axes, "← faster", (1.0, 1.0), ("data", "axes fraction"), (-5, 9), "right")
    label(axes, "slower →", (1.0, 1.0), ("data", "axes fraction"), (5, 9), "left")
    beside = ("axes fraction", "data")
    for index, layer in enumerate(layers):
        axes.axhline(band * (index + 1), color=GRID, linewidth=0.7, xmin=-0.6, clip_on=False)
        centre = (0, band * (index + 0.5))
        label(axes, _shortened(layer), centre, beside, (-8, 0), "right", INK, FONT_SIZE)
    for row in ratios:
        style = by_series[row["other"]]
        lane = others.index(row["other"]) + 0.5
        y = band * layers.index(row["layer"]) + _GAP / 2 + _LANE * lane
        axes.hlines(y, row["ratio_low"], row["ratio_high"], color=style.colour, linewidth=1.6)
        axes.plot([row["ratio"]], [y], **marker(style))
        label(axes, units.ratio(row["ratio"]), (1, y), beside, (6, 0), "left")
    return figure


def _shortened(name: str, length: int = 20) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"
