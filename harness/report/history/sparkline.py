"""A case's latencies over the runs of a machine, small enough for a row of a table."""

from __future__ import annotations

from markupsafe import Markup

from harness.gate.history import CaseHistory
from harness.report import sparks
from harness.report.history.chart import span
from harness.report.sparks import Mark

WIDTH, HEIGHT = 144, 28
_DOT = 3
"""Half of the last run's dot: it has room at either end, as what is outside is cut."""


def sparkline(case: CaseHistory, description: str) -> Markup:
    """A line through all runs, a dot at the last one, and a dashed line where a level moved.

    Args:
        case: with at least one latency.
        description: the same in words.
    """
    values = [figure.value for figure in case.latencies]
    place = sparks.upward(*span(values), HEIGHT - 2 * _DOT)
    points = [
        (_across(index, len(values)), _DOT + place(value)) for index, value in enumerate(values)
    ]
    moved = [
        Mark(
            "slower" if change.slower else "faster",
            f"M{_across(change.at - 0.5, len(values))} 0v{HEIGHT}",
        )
        for change in case.changes
    ]
    run, last = Mark("run", sparks.line(points)), Mark("last", sparks.line(points[-1:]))
    return sparks.drawing("spark", [*moved, run, last], description=description)


def _across(index: float, runs: int) -> int:
    """Where a run lies, or what is between two, with half a run's room at either end."""
    return round(WIDTH * (index + 0.5) / runs)
