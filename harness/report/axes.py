"""The axes of a panel over sizes, both logarithmic, with what every drawing in them shares.

Figures stand below, their intervals as bands; marks of failures above them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.report.canvas import FONT_SIZE, MUTED, canvas, round_values, set_ticks, spaced
from harness.report.panels import AXES, Line, Panel
from harness.types import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARK_HEIGHT = 0.1
"""Of the height of a panel, for each line of marks of failures above the figures."""
_MARKS_AT_MOST = 0.35
"""However many lines there are, figures keep most of the panel."""
_TICK = 16.0
"""In points: the height that a tick's text takes, with the gap to the next one."""
_HOURGLASS = [(-1, 1), (1, 1), (-1, -1), (1, -1), (-1, 1)]
_FAILURE_MARKERS: dict[str, Any] = {
    Status.OOM: "X",
    Status.TIMEOUT: _HOURGLASS,
    Status.CRASHED: "*",
    Status.ERROR: (3, 1, 0),
    Status.MISMATCH: "d",
    Status.INTERRUPTED: "h",
}
"""By status; all filled, and none that a series has."""


@dataclass(frozen=True)
class Scale:
    """The vertical axis of panels that are to be read side by side.

    Attributes:
        low: where it begins.
        high: where figures end.
        marks: how many lines of marks of failures there are above.
    """

    low: float
    high: float
    marks: int

    @property
    def mark_height(self) -> float:
        """Of one line of marks, as a share of the axis."""
        return min(_MARK_HEIGHT, _MARKS_AT_MOST / max(self.marks, 1))

    @property
    def top(self) -> float:
        """Where the axis ends."""
        share = self.marks * self.mark_height
        return float(self.high * (self.high / self.low) ** (share / (1 - share)))


def limits(panels: Sequence[Panel]) -> tuple[float, float]:
    """Between which every figure of these panels lies.

    At least a decade, as less would make noise look like a difference.
    """
    drawn = [figure for panel in panels for line in panel.lines for _, figure in line.points]
    low = min(figure.low for figure in drawn) / 1.3
    high = max(figure.high for figure in drawn) * 1.3
    widen = math.sqrt(max(1.0, 10 * low / high))
    return low / widen, high * widen


def log_log(
    panel: Panel,
    scale: Scale,
    size: tuple[float, float],
    margins: tuple[float, float, float, float],
    side: float,
) -> tuple[Figure, Axes]:
    """A figure with the axes of a panel, nothing drawn in them.

    Args:
        panel: what is to be drawn.
        scale: of the vertical axis.
        size: width and height of the figure, in points.
        margins: left, right, top and bottom, in points.
        side: how far the horizontal axis goes beyond its outer values, as a share of their
            distance.
    """
    figure, axes = canvas(*size, margins)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(scale.low, scale.top)
    room = (size[1] - sum(margins[2:])) * math.log(scale.high / scale.low)
    most = min(7, max(2, int(room / math.log(scale.top / scale.low) / _TICK)))
    heights = round_values(scale.low, scale.high, binary=panel.metric.binary, most=most)
    set_ticks(axes, "y", heights, panel.metric.tick)
    margin = (panel.ticks[-1] / panel.ticks[0]) ** side
    axes.set_xlim(panel.ticks[0] / margin, panel.ticks[-1] * margin)
    left, right, *_ = margins
    set_ticks(axes, "x", spaced(panel.ticks, size[0] - left - right, side), str)
    axes.set_xlabel(AXES[panel.axis], color=MUTED, size=FONT_SIZE, labelpad=4)
    return figure, axes


def draw_band(axes: Axes, line: Line, colour: str) -> None:
    """The intervals of a line as a band, which ends where the line failed."""
    figures = dict(line.points)
    if all(figure.low == figure.high for figure in figures.values()):
        return  # peaks of memory have no interval
    path = sorted([*figures, *(x for x, _ in line.failures)])
    axes.fill_between(
        path,
        [figures[x].low if x in figures else math.nan for x in path],
        [figures[x].high if x in figures else math.nan for x in path],
        color=colour,
        alpha=0.16,
        linewidth=0,
        clip_on=False,  # nothing lies outside, and to say so of each line takes a kilobyte
    )


def failure_marker(status: str) -> Any:
    """What a case that ended so looks like, whichever drawing it is in."""
    return _FAILURE_MARKERS.get(status, "h")
