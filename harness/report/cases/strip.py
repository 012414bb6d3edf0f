"""The samples of one case, small: over time, and beside it how often each time occurred."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from harness import units
from harness.report import sparks
from harness.report.cases.samples import Pass, frequencies, over_time, span
from harness.report.sparks import Label, Mark

WIDTH, HEIGHT = 210, 44
"""Of the drawing over time, in pixels."""
_BESIDE, _LONGEST = 8, 52
"""From it to the bars, and the longest of those."""
_BINS = 11
_POINTS = 32
"""Samples that are drawn over time, about."""
_LETTER = 11
"""How high a label is: its foot is no nearer to that of another."""


def strip(passes: Sequence[Pass]) -> Markup:
    """Both drawings in one, with one vertical axis, logarithmic, the slowest sample at the top.

    Beside it stand its ends and the median, as near to its place as there is room for.

    Args:
        passes: of one row; at least one.
    """
    low, middle, high = span(passes)
    place = sparks.upward(low, high, HEIGHT)
    lines, levels = "", ""
    start, number = 0, sum(len(one.samples_s) for one in passes)
    for one, drawn in zip(passes, over_time(passes, _POINTS), strict=True):
        points = [(WIDTH * (start + index) // number, place(time)) for index, time in drawn]
        lines += sparks.line(points)
        levels += sparks.level(points[0][0], points[-1][0], place(one.median_s))
        start += len(one.samples_s)
    foot = min(max(place(middle) + _LETTER // 2, 2 * _LETTER), HEIGHT - _LETTER)
    marks = (
        Mark("bars", sparks.bars(WIDTH + _BESIDE, _lengths(passes, low, high), HEIGHT // _BINS)),
        Mark("line", lines),
        Mark("level", levels),
    )
    labels = (
        Label(_LETTER, units.seconds(high)),
        Label(foot, units.seconds(middle)),
        Label(HEIGHT, units.seconds(low)),
    )
    return sparks.drawing("strip", marks, labels)


def _lengths(passes: Sequence[Pass], low: float, high: float) -> list[int]:
    """Of the bars, that of the slowest samples first; even a single sample has one to be seen."""
    counts, _ = frequencies(passes, low, high, _BINS)
    return [math.ceil(_LONGEST * count / max(counts)) for count in reversed(counts)]
