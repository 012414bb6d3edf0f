"""Draws the panels of a layer with matplotlib, as SVG to stand in a page.

Titles and the key are the page's own text; a drawing holds axes, lines and marks only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.report.axes import Scale, draw_band, failure_marker, limits, log_log
from harness.report.canvas import VARIABLES, Style, canvas, label, marker
from harness.report.panels import Line, Panel
from harness.report.svg import titled, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT = 288.0, 200.0
_MARGINS = (66.0, 12.0, 10.0, 42.0)
"""In points: a panel and its margins, left, right, top and bottom."""
_AXES, _MARK, _LETTER = 1_700, 280, 3
"""In bytes: axes, a mark with its share of line and band, and each letter of its series."""
_SIDE = 0.12
"""How far the horizontal axis goes beyond its outer values, as a share of their distance."""


def swatch(style: Style, key: str) -> str:
    """The line and marker of a series, for the page's key."""
    figure, axes = canvas(34, 12, (0, 0, 0, 0))
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.plot([0.05, 0.95], [0.5, 0.5], color=style.colour, linestyle=style.dash, linewidth=1.6)
    axes.plot([0.5], [0.5], **marker(style))
    return to_svg(figure, key, "", VARIABLES)


def panel(panel: Panel, scale: Scale, by_series: Mapping[str, Style], key: str) -> str:
    """One panel, both axes logarithmic, with 95 % intervals as bands and failures along the top.

    Args:
        panel: what to draw.
        scale: of the vertical axis, from `shared_scale`.
        by_series: how each line looks.
        key: unique in the page.
    """
    return to_svg(panel_figure(panel, scale, by_series), key, panel.description, VARIABLES)


def panel_figure(panel: Panel, scale: Scale, by_series: Mapping[str, Style]) -> Figure:
    """What `panel` draws."""
    figure, axes = log_log(panel, scale, (_WIDTH, _HEIGHT), _MARGINS, _SIDE)
    for line in panel.lines:
        _draw_line(axes, panel, line, by_series[line.series])
    for level, (name, status, places) in enumerate(_marks(panel)):
        height = 1 - scale.mark_height * (level + 0.5)
        _draw_marks(axes, places, height, by_series[name], status, f"{name}: {status}")
        label(axes, status, (0, height), ("axes fraction", "axes fraction"), (-7, 0), "right")
    return figure


def weight(panel: Panel) -> int:
    """About how many bytes the drawing of a panel takes in a page, before it is drawn.

    Its axes, each mark with the words that a reader sees on hovering over it, and all in words.
    """
    marks = sum(
        (_MARK + _LETTER * len(line.series)) * (len(line.points) + len(line.failures))
        for line in panel.lines
    )
    return _AXES + marks + len(panel.description.encode())


def shared_scale(panels: Sequence[Panel]) -> Scale:
    """The scale that holds every figure of these panels, and every line of marks."""
    return Scale(*limits(panels), max(len(_marks(panel)) for panel in panels))


def _marks(panel: Panel) -> list[tuple[str, str, list[int]]]:
    """Lines of marks: a series, a status, and where the series has it."""
    return [
        (line.series, status, [x for x, found in line.failures if found == status])
        for line in panel.lines
        for status in dict.fromkeys(status for _, status in line.failures)
    ]


def _draw_line(axes: Axes, panel: Panel, line: Line, style: Style) -> None:
    if not line.points:
        return
    draw_band(axes, line, style.colour)
    values = {x: figure.value for x, figure in line.points}
    path = sorted(values | {x: math.nan for x, _ in line.failures})
    axes.plot(
        path,
        [values.get(x, math.nan) for x in path],
        color=style.colour,
        linestyle=style.dash,
        linewidth=1.6,
        clip_on=False,
    )
    axes.plot(  # one path for all, as a page may hold thousands
        [x for place, _ in line.points for x in (place, place, math.nan)],
        [y for _, figure in line.points for y in (figure.low, figure.high, math.nan)],
        color=style.colour,
        linewidth=1.6,
        solid_capstyle="butt",
        clip_on=False,
    )
    for place, figure in line.points:
        said = titled(panel.told(line, place, figure))
        axes.plot([place], [figure.value], **marker(style), **said)


def _draw_marks(
    axes: Axes, places: Sequence[int], height: float, style: Style, status: str, text: str
) -> None:
    axes.plot(
        places,
        [height] * len(places),
        transform=axes.get_xaxis_transform(),
        **titled(text),
        **{
            **marker(style),
            "marker": failure_marker(status),
            "markersize": 7.5,
            "markeredgewidth": 1.1,
        },
    )
