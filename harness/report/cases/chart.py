"""Draws the samples of one case: in the order taken, and beside it how often each time occurred."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from harness import units
from harness.report.canvas import FONT_SIZE, GRID, HUES, MUTED, VARIABLES, canvas, set_ticks
from harness.report.cases.samples import Pass, frequencies, over_time, span
from harness.report.svg import titled, to_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT = 520.0, 150.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 118.0, 8.0, 34.0
_BESIDE = 12.0
"""In points: the figure with the margins of its left axes, and the gap to its right ones."""
_POINTS = 300
"""Samples that are drawn over time, about."""
_BINS = 16
_APART = 0.16
"""Of the height: ticks nearer to each other would run into one another."""


def chart(passes: Sequence[Pass], key: str) -> str:
    """Both drawings in one, with one vertical axis, logarithmic, in seconds.

    Args:
        passes: of one row; at least one.
        key: unique in the page.
    """
    return to_svg(chart_figure(passes), key, description(passes), VARIABLES)


def chart_figure(passes: Sequence[Pass]) -> Figure:
    """What `chart` draws."""
    low, middle, high = span(passes)
    figure, axes = canvas(_WIDTH, _HEIGHT, (_LEFT, _RIGHT, _TOP, _BOTTOM))
    beside = figure.add_axes(
        (
            (_WIDTH - _RIGHT + _BESIDE) / _WIDTH,
            _BOTTOM / _HEIGHT,
            (_RIGHT - 2 * _BESIDE) / _WIDTH,
            1 - (_TOP + _BOTTOM) / _HEIGHT,
        )
    )
    margin = (high / low) ** 0.04
    for part in (axes, beside):
        part.set_yscale("log")
        part.set_ylim(low / margin, high * margin)
    set_ticks(axes, "y", _ticks(low, middle, high), units.seconds)
    axes.grid(visible=False, axis="x")
    start, centres = 0, []
    for one, drawn in zip(passes, over_time(passes, _POINTS), strict=True):
        places = range(start, start + len(one.samples_s))
        axes.plot(
            [places[index] for index, _ in drawn],
            [time for _, time in drawn],
            color=HUES[1],
            linewidth=0.8,
        )
        median, count = one.median_s, units.count(len(one.samples_s), "sample")
        said = titled(f"pass {one.index + 1}: median {units.seconds(median)}, {count}")
        axes.hlines(median, start, places[-1], color=HUES[0], linewidth=2.0, **said)
        centres.append((start + places[-1]) / 2)
        start += len(places)
        axes.axvline(start - 0.5, color=GRID, linewidth=0.7)
    axes.set_xlim(-0.5, start - 0.5)
    set_ticks(axes, "x", centres, dict(zip(centres, _numbers(passes), strict=True)).__getitem__)
    axes.set_xlabel("pass", color=MUTED, size=FONT_SIZE, labelpad=2)
    counts, edges = frequencies(passes, low, high, _BINS)
    for number, (bottom, top) in zip(counts, pairwise(edges), strict=True):
        between = f"{units.seconds(bottom)}–{units.seconds(top)}"
        said = titled(f"{units.count(number, 'sample')}, {between}")
        if number:
            beside.barh(bottom, number, top - bottom, align="edge", color=HUES[1], **said)
    beside.set_xlim(0, max(counts) * 1.05)
    beside.axis("off")
    return figure


def description(passes: Sequence[Pass]) -> str:
    """The drawing in words, for those who do not see it."""
    times = [time for one in passes for time in one.samples_s]
    told = ", ".join(units.seconds(one.median_s) for one in passes)
    return (
        f"{units.count(len(times), 'sample')} from {units.seconds(min(times))} to "
        f"{units.seconds(max(times))}, median {units.seconds(statistics.median(times))}; medians "
        f"by pass: {told}."
    )


def _ticks(low: float, middle: float, high: float) -> list[float]:
    """The ends, and the middle where it is far enough from both."""
    height = math.log(middle / low) / math.log(high / low)
    return [low, middle, high] if _APART < height < 1 - _APART else [low, high]


def _numbers(passes: Sequence[Pass]) -> list[str]:
    """A number below each pass, or below every few of many."""
    every = math.ceil(len(passes) / 20)
    return ["" if index % every else str(one.index + 1) for index, one in enumerate(passes)]
