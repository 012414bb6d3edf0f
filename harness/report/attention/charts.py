"""Draws figures over the length, both axes logarithmic, with names at the ends of lines."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.report.attention.lines import Failures, failures
from harness.report.axes import Scale, draw_band, failure_marker, limits, log_log
from harness.report.canvas import FONT_SIZE, INK, VARIABLES, Style, label, marker
from harness.report.panels import Line, Panel
from harness.report.summary import together
from harness.report.svg import titled, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 520.0, 76.0, 146.0, 8.0, 40.0
_LEAST_HEIGHT = 230.0
"""In points: a panel with its margins, and the least height of its axes."""
_NAME_GAP, _NAME_SHIFT = 12.0, 16.0
"""Between the names at the ends of lines, and between these and the axes, in points."""
_SIDE = 0.04
"""How far the horizontal axis goes beyond its outer values, as a share of their distance."""
_NAMED = 2
"""Of variants that failed alike; the others are counted."""


def scale(panels: Sequence[Panel]) -> Scale:
    """The vertical axis of one figure in all modes."""
    return Scale(*limits(panels), max(len(failures(panel)) for panel in panels))


def chart(panel: Panel, scale: Scale, looks: Mapping[str, Style], key: str) -> str:
    """One figure and mode, with intervals as bands and failures along the top.

    Args:
        panel: from `harness.report.attention.lines.panel`; its axis is the length.
        scale: of the vertical axis.
        looks: how each line looks.
        key: unique in the page.
    """
    return to_svg(chart_figure(panel, scale, looks), key, panel.description, VARIABLES)


def chart_figure(panel: Panel, scale: Scale, looks: Mapping[str, Style]) -> Figure:
    """What `chart` draws."""
    drawn = [line for line in panel.lines if line.points]
    height = max(_LEAST_HEIGHT, _NAME_GAP * len(drawn))
    size = (_WIDTH, height + _TOP + _BOTTOM)
    figure, axes = log_log(panel, scale, size, (_LEFT, _RIGHT, _TOP, _BOTTOM), _SIDE)
    for line in drawn:
        _draw_line(axes, panel, line, looks[line.series])
    _draw_names(axes, drawn, scale, looks, height)
    for level, failed in enumerate(failures(panel)):
        _draw_failures(axes, failed, 1 - scale.mark_height * (level + 0.5), panel.ticks)
    return figure


def _draw_line(axes: Axes, panel: Panel, line: Line, style: Style) -> None:
    values = dict(line.points)
    path = sorted(values | dict.fromkeys(n for n, _ in line.failures))
    places = [math.nan if values.get(n) is None else values[n].value for n in path]
    baseline = style.colour == INK
    draw_band(axes, line, style.colour)
    width = 2.6 if baseline else 1.3
    order = 3 if baseline else 2
    axes.plot(path, places, color=style.colour, linestyle=style.dash, linewidth=width, zorder=order)
    marks = {**marker(style), "markersize": 5.0 if baseline else 3.6, "markeredgewidth": 1.0}
    for place, figure in line.points:
        said = titled(panel.told(line, place, figure))
        axes.plot([place], [figure.value], **marks, **said, zorder=order)


def _draw_names(
    axes: Axes, lines: Sequence[Line], scale: Scale, looks: Mapping[str, Style], height: float
) -> None:
    """Each line's name right of the axes, as near to the line's end as names allow."""
    whole = math.log(scale.top / scale.low)

    def level(line: Line) -> float:
        return math.log(line.points[-1][1].value / scale.low) / whole * height

    ordered = sorted(lines, key=level)
    places = spread([level(line) for line in ordered], _NAME_GAP, height)
    for line, place in zip(ordered, places, strict=True):
        style = looks[line.series]
        at = (1 + _NAME_SHIFT / (_WIDTH - _LEFT - _RIGHT), place / height)
        axes.annotate(
            "",
            (line.points[-1][0], line.points[-1][1].value),
            at,
            "data",
            "axes fraction",
            arrowprops={
                "arrowstyle": "-",
                "color": style.colour,
                "linewidth": 0.5,
                "alpha": 0.55,
                "shrinkA": 0,
                "shrinkB": 3,
                "relpos": (0, 0.5),
            },
        )
        beside = ("axes fraction", "axes fraction")
        label(axes, line.series, at, beside, (3, 0), "left", style.colour, FONT_SIZE - 2)


def spread(targets: Sequence[float], gap: float, height: float) -> list[float]:
    """Places with a gap between neighbours, each as near to its target as can be.

    The squares of the distances are least: an isotonic regression of the targets less their gaps.

    Args:
        targets: rising.
        gap: between neighbours at least.
        height: the places lie between 0 and this.
    """
    blocks: list[list[float]] = []
    for index, target in enumerate(targets):
        blocks.append([target - index * gap])
        while len(blocks) > 1 and statistics.fmean(blocks[-2]) >= statistics.fmean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    levels = [statistics.fmean(block) for block in blocks for _ in block]
    top = max(0.0, height - gap * (len(targets) - 1))
    return [min(max(level, 0.0), top) + index * gap for index, level in enumerate(levels)]


def _draw_failures(axes: Axes, failed: Failures, height: float, ticks: Sequence[int]) -> None:
    """A mark at each length, and beside them whose they are."""
    axes.plot(
        failed.lengths,
        [height] * len(failed.lengths),
        transform=axes.get_xaxis_transform(),
        **titled(f"{together(failed.names)}: {failed.status}"),
        color=INK,
        marker=failure_marker(failed.status),
        markersize=6,
        markeredgewidth=0,
        linestyle="none",
        clip_on=False,
    )
    left = math.sqrt(failed.lengths[0] * failed.lengths[-1]) > math.sqrt(ticks[0] * ticks[-1])
    place, shift, align = (
        (failed.lengths[0], -7, "right") if left else (failed.lengths[-1], 7, "left")
    )
    rest = len(failed.names) - _NAMED
    names = [*failed.names[:_NAMED], *([f"{rest} more"] if rest > 0 else [])]
    text = f"{together(names)}: {failed.status}"
    label(axes, text, (place, height), ("data", "axes fraction"), (shift, 0), align, INK, 9.0)
