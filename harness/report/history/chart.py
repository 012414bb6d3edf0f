"""Draws the latencies of one case over the runs of a machine, with the levels that were found."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from harness import units
from harness.gate.changes import Change
from harness.gate.history import CaseHistory, History
from harness.report.canvas import GRID, HUES, INK, MUTED, VARIABLES, canvas, label, set_ticks
from harness.report.history.events import started, state
from harness.report.svg import titled, to_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT = 288.0, 96.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 10.0, 8.0, 20.0
_LEAST = 1.1
"""Factor between the ends of the axis and its middle at least, lest noise look like change."""
_SLOWER, _FASTER = HUES[0], HUES[2]


def chart(history: History, case: CaseHistory, key: str) -> str:
    """One dot a run, a line a level, and a dashed line where a level moved.

    Args:
        history: that the case is of.
        case: with at least one latency.
        key: unique in the page.
    """
    return to_svg(chart_figure(history, case), key, description(history, case), VARIABLES)


def chart_figure(history: History, case: CaseHistory) -> Figure:
    """What `chart` draws."""
    values = [figure.value for figure in case.latencies]
    low, high = span(values)
    figure, axes = canvas(_WIDTH, _HEIGHT, (_LEFT, _RIGHT, _TOP, _BOTTOM))
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.set_xlim(-0.7, len(values) - 0.3)
    set_ticks(axes, "y", [low, median(values), high], units.seconds)
    axes.set_xticks([])
    axes.grid(visible=False, axis="x")
    edges = [0, *(change.at for change in case.changes), len(values)]
    for start, end in pairwise(edges):
        axes.hlines(median(values[start:end]), start - 0.5, end - 0.5, color=MUTED, linewidth=1.6)
    for change in case.changes:
        axes.axvline(change.at - 0.5, color=_colour(change), linewidth=1.4, linestyle=(0, (3, 2)))
    for place, value in enumerate(values):
        said = titled(f"{started(history.run(case.runs[place]))}: {units.seconds(value)}")
        axes.plot([place], [value], color=INK, marker="o", markersize=3.2, **said)
    axes.axhline(low, color=GRID, linewidth=0.7)
    first, last = (started(history.run(case.runs[index]))[:10] for index in (0, -1))
    below = ("data", "axes fraction")
    label(axes, first, (-0.5, 0), below, (0, -11), "left")
    label(axes, last, (len(values) - 0.5, 0), below, (0, -11), "right")
    return figure


def span(values: Sequence[float]) -> tuple[float, float]:
    """The ends of a logarithmic axis that holds all values, with their median in the middle."""
    middle = median(values)
    factor = max(_LEAST, max(values) / middle * 1.03, middle / min(values) * 1.03)
    return middle / factor, middle * factor


def _colour(change: Change) -> str:
    """Of the line where a level moved."""
    return _SLOWER if change.slower else _FASTER


def description(history: History, case: CaseHistory) -> str:
    """The changes in words, for those who do not see them."""
    told = [
        f"{units.ratio(change.ratio.value)} from {started(history.run(case.runs[change.at]))} on, "
        f"{state(case, change)}"
        for change in case.changes
    ]
    number = units.count(len(case.runs), "run")
    return f"Latency of {case.case} over {number}: {'; '.join(told) or 'no change'}."
