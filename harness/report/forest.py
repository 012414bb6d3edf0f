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
from harness.report.svg import titled, to_svg
from harness.stats import geometric_mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LANE, _GAP, _TOP, _BOTTOM = 14.0, 9.0, 20.0, 24.0
"""In points: a lane a ratio, the gap between two layers, the margins above and below."""
_WIDTH, _LEFT, _RIGHT = 470.0, 150.0, 106.0
"""Likewise: of all, with room for the names of layers and for ratios with their intervals."""
TOGETHER = "all layers"
"""The last line of a plot: the geometric mean over every common case."""


def shared_limits(ratios: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Limits for the axis of plots that are to be read side by side; 1 is always within."""
    low = min(1.0, *(row["ratio_low"] for row in ratios))
    high = max(1.0, *(row["ratio_high"] for row in ratios))
    return low / 1.35, high * 1.35


def fastest_first(ratios: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The ratios, those of the layer first in which the others are fastest against the base."""
    layers = dict.fromkeys(row["layer"] for row in ratios)
    means = {
        layer: geometric_mean(row["ratio"] for row in ratios if row["layer"] == layer)
        for layer in layers
    }
    return sorted(ratios, key=lambda row: means[row["layer"]])


def forest(
    ratios: Sequence[Mapping[str, Any]],
    means: Sequence[Mapping[str, Any]],
    limits: tuple[float, float],
    by_series: Mapping[str, Style],
    key: str,
    description: str,
    sides: tuple[str, str] = ("faster", "slower"),
) -> str:
    """Ratios by layer with their intervals, on a logarithmic axis with a line at 1.

    The layers stand in the order of the ratios, and all of them together below a line.

    Args:
        ratios: with layer, other, ratio, its limits, and the number of cases that it is over, such
            as rows of `harness.report.ratios.by_layer` of one base and mode.
        means: of each other over all layers, such as rows of `harness.report.ratios.together`; or
            none, where there is nothing to be told of all of them together.
        limits: of the axis, from `shared_limits`.
        by_series: how each of the others looks.
        key: unique in the page.
        description: what the drawing shows, for those who do not see it.
        sides: what lies left and right of 1.
    """
    figure = forest_figure(ratios, means, limits, by_series, sides)
    return to_svg(figure, key, description, VARIABLES)


def forest_figure(
    ratios: Sequence[Mapping[str, Any]],
    means: Sequence[Mapping[str, Any]],
    limits: tuple[float, float],
    by_series: Mapping[str, Style],
    sides: tuple[str, str] = ("faster", "slower"),
) -> Figure:
    """What `forest` draws."""
    others = list(by_series)
    layers = list(dict.fromkeys(row["layer"] for row in ratios))
    lines = [*layers, TOGETHER] if means else layers
    band = _LANE * len(others) + _GAP
    height = band * len(lines)
    figure, axes = canvas(_WIDTH, _TOP + height + _BOTTOM, (_LEFT, _RIGHT, _TOP, _BOTTOM))
    axes.set_xscale("log")
    axes.set_xlim(limits)
    axes.set_ylim(height, 0)
    set_ticks(axes, "x", round_values(*limits, binary=True, most=5), units.ratio_tick)
    axes.set_yticks([])
    axes.axvline(1.0, color=INK, linewidth=1.0)
    less, more = sides
    label(axes, f"← {less}", (1.0, 1.0), ("data", "axes fraction"), (-5, 9), "right")
    label(axes, f"{more} →", (1.0, 1.0), ("data", "axes fraction"), (5, 9), "left")
    beside = ("axes fraction", "data")
    for index, name in enumerate(lines):
        above_all = index == len(layers) - 1 and bool(means)
        colour, width = (INK, 1.0) if above_all else (GRID, 0.7)
        axes.axhline(band * (index + 1), color=colour, linewidth=width, xmin=-0.6, clip_on=False)
        centre = (0, band * (index + 0.5))
        label(axes, _shortened(name), centre, beside, (-8, 0), "right", INK, FONT_SIZE)
    placed = [(layers.index(row["layer"]), row["layer"], row) for row in ratios]
    placed += [(len(layers), TOGETHER, row) for row in means]
    for line, name, row in placed:
        style = by_series[row["other"]]
        y = band * line + _GAP / 2 + _LANE * (others.index(row["other"]) + 0.5)
        axes.hlines(y, row["ratio_low"], row["ratio_high"], color=style.colour, linewidth=1.6)
        text = units.ratio_interval(row["ratio"], row["ratio_low"], row["ratio_high"])
        cases = units.count(row["cases"], "case")
        said = titled(f"{name}, {row['other']}: {text} over {cases}")
        axes.plot([row["ratio"]], [y], **marker(style), **said)
        label(axes, text, (1, y), beside, (6, 0), "left")
    return figure


def _shortened(name: str, length: int = 20) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"
