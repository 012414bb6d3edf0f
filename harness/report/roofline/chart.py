"""Draws a roofline: FLOP/s over arithmetic intensity, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness import units
from harness.report.attention.charts import spread
from harness.report.canvas import (
    FONT_SIZE,
    INK,
    MUTED,
    Style,
    canvas,
    label,
    marker,
    round_values,
    set_ticks,
)
from harness.report.roofline.points import Point, Roofline
from harness.report.text import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 520.0, 88.0, 146.0, 10.0, 42.0
_LEAST_HEIGHT = 230.0
_NAME_GAP, _NAME_SHIFT = 12.0, 16.0
"""In points: of the whole, and of the names of layers, as in the charts of attention."""
_LETTERS = 20
"""Of the name of a layer, at most."""
_SIDE = 1.6
"""Factor that the axes go beyond what is drawn."""


def chart_figure(roofline: Roofline, by_series: Mapping[str, Style]) -> Figure:
    """A point a case below the measured ceilings; each layer is named at its fastest point.

    Two bandwidths are drawn: of the largest working set, which memory has to serve, and the
    highest, which a cache does.

    Args:
        roofline: what to draw.
        by_series: how the points of each framework and execution look.
    """
    fastest = _fastest(roofline)
    height = max(_LEAST_HEIGHT, _NAME_GAP * len(fastest))
    figure, axes = canvas(_WIDTH, height + _TOP + _BOTTOM, (_LEFT, _RIGHT, _TOP, _BOTTOM))
    (left, right), (low, high) = _limits(roofline)
    axes.set(xscale="log", yscale="log", xlim=(left, right), ylim=(low, high))
    set_ticks(axes, "x", round_values(left, right, binary=False), lambda value: f"{value:g}")
    rates = round_values(low, high, binary=False)
    set_ticks(axes, "y", rates, lambda value: units.quantity_tick(value, "FLOP/s"))
    axes.set_xlabel("FLOP per byte", color=MUTED, size=FONT_SIZE, labelpad=4)
    _draw_roofs(axes, roofline, height)
    for series in dict.fromkeys(point.series for point in roofline.points):
        members = [point for point in roofline.points if point.series == series]
        axes.plot(
            [point.intensity for point in members],
            [point.flop_per_s for point in members],
            **{**marker(by_series[series]), "markersize": 4.2, "markeredgewidth": 1.0},
        )
    _draw_names(axes, fastest, (low, high), height)
    return figure


def description(roofline: Roofline) -> str:
    """The drawing in words, for those who do not see it."""
    reached = (
        f"{layer}: {units.quantity(point.flop_per_s, 'FLOP/s')} at {point.intensity:.3g} FLOP/byte"
        for layer, point in _fastest(roofline).items()
    )
    return (
        f"Roofline of {roofline.machine}, {roofline.setting}, {roofline.mode}. The fastest case of "
        f"each layer: {'; '.join(reached)}."
    )


def _fastest(roofline: Roofline) -> dict[str, Point]:
    """Of each layer the point with most FLOP/s."""
    found: dict[str, Point] = {}
    for point in roofline.points:
        best = found.get(point.layer)
        if best is None or point.flop_per_s > best.flop_per_s:
            found[point.layer] = point
    return found


def _limits(roofline: Roofline) -> tuple[tuple[float, float], tuple[float, float]]:
    """Of both axes: all points, and where the roofs of bandwidth meet that of compute."""
    intensities = [point.intensity for point in roofline.points]
    rates = [point.flop_per_s for point in roofline.points]
    best = roofline.best
    ridges = [best.flop_per_s / rate for _, rate in (best.memory, best.cache)]
    across = min(*intensities, *ridges) / _SIDE, max(*intensities, *ridges) * _SIDE
    return across, (min(rates) / _SIDE, max(*rates, best.flop_per_s) * _SIDE)


def _draw_roofs(axes: Axes, roofline: Roofline, height: float) -> None:
    best = roofline.best
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    slope = (height / math.log(high / low)) / ((_WIDTH - _LEFT - _RIGHT) / math.log(right / left))
    roofs = {best.cache: ((0, (4, 2)), 1), best.memory: ("-", -1)}  # which may be the same
    for (size, rate), (dash, side) in roofs.items():
        ridge = best.flop_per_s / rate
        ends = [left, ridge]
        axes.plot(ends, [rate * x for x in ends], color=INK, linewidth=1.2, linestyle=dash)
        start = max(left, low / rate) * 1.15  # the label lies along the line, on its outer side
        axes.annotate(
            f"{units.quantity(rate, 'B/s')}, {units.size_tick(size)}",
            (start, rate * start),
            (0, 3 * side),
            textcoords="offset points",
            rotation=math.degrees(math.atan(slope)),
            rotation_mode="anchor",
            ha="left",
            va="bottom" if side > 0 else "top",
            color=MUTED,
            size=FONT_SIZE - 2.5,
        )
    begin = best.flop_per_s / max(rate for _, rate in roofs)
    axes.plot([begin, right], [best.flop_per_s] * 2, color=INK, linewidth=1.2)
    text = f"{units.quantity(best.flop_per_s, 'FLOP/s')}, matrix product"
    at = (right, best.flop_per_s)
    label(axes, text, at, ("data", "data"), (-2, 7), "right", MUTED, FONT_SIZE - 2.5)


def _draw_names(
    axes: Axes, fastest: Mapping[str, Point], limits: tuple[float, float], height: float
) -> None:
    """Each layer right of the axes, as near to its point as names allow, with a line to it."""
    low, high = limits

    def level(layer: str) -> float:
        return math.log(fastest[layer].flop_per_s / low) / math.log(high / low) * height

    ordered = sorted(fastest, key=level)
    places = spread([level(layer) for layer in ordered], _NAME_GAP, height)
    for layer, place in zip(ordered, places, strict=True):
        point = fastest[layer]
        at = (1 + _NAME_SHIFT / (_WIDTH - _LEFT - _RIGHT), place / height)
        leader = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.5, "alpha": 0.55}
        axes.annotate(
            "",
            (point.intensity, point.flop_per_s),
            at,
            "data",
            "axes fraction",
            arrowprops={**leader, "shrinkA": 0, "shrinkB": 3, "relpos": (0, 0.5)},
        )
        beside = ("axes fraction", "axes fraction")
        label(axes, shortened(layer, _LETTERS), at, beside, (3, 0), "left", INK, FONT_SIZE - 2)
