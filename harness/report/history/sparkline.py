"""A case's latencies over the runs of a machine, small enough for a row of a table."""

from __future__ import annotations

from harness.gate.history import CaseHistory
from harness.report.canvas import INK, MUTED, VARIABLES, canvas
from harness.report.history.chart import colour, span
from harness.report.svg import to_svg

_WIDTH, _HEIGHT, _MARGIN = 110.0, 22.0, 3.0


def sparkline(case: CaseHistory, key: str, description: str) -> str:
    """A line through all runs, a dot at the last one, and a dashed line where a level moved.

    Args:
        case: with at least one latency.
        key: unique in the page.
        description: the same in words.
    """
    values = [figure.value for figure in case.latencies]
    figure, axes = canvas(_WIDTH, _HEIGHT, (_MARGIN,) * 4)
    axes.axis("off")
    axes.set_yscale("log")
    axes.set_ylim(*span(values))
    axes.set_xlim(-0.5, len(values) - 0.5)
    for change in case.changes:
        axes.axvline(change.at - 0.5, color=colour(change), linewidth=1.4, linestyle=(0, (3, 2)))
    axes.plot(values, color=MUTED, linewidth=1.0)
    axes.plot([len(values) - 1], values[-1:], color=INK, marker="o", markersize=3.2)
    return to_svg(figure, key, description, VARIABLES)
