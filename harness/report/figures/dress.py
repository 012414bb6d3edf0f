"""Puts around a drawing what the page says beside it: a title, a key, the name of an axis."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.report.canvas import FONT_SIZE, INK, LETTER, MUTED, Style, label, marker
from harness.report.text import printable, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_EDGE, _LINE, _ASIDE = 8.0, 15.0, 16.0
"""In points: around all text, from line to line, and beside the vertical axis for its name."""
_SMALL = FONT_SIZE - 1.5
_TITLE = FONT_SIZE + 1.5
_SWATCH, _AFTER = 22.0, 6.0
"""Of an entry of the key, the line and the gap behind it, in points."""
_LINES = 3
"""Of a detail, at most."""
_TICK_PAD = 3.5
"""From an axis to its labels, in points: matplotlib's own."""


@dataclass(frozen=True)
class Caption:
    """What stands around a drawing.

    Attributes:
        title: in one line.
        details: below it, in smaller letters.
        upward: the name of the vertical axis; empty where there is none.
        key: how each series looks.
    """

    title: str
    details: tuple[str, ...] = ()
    upward: str = ""
    key: tuple[tuple[str, Style], ...] = ()


def dress(figure: Figure, caption: Caption) -> Figure:
    """The same figure, grown by what stands around the drawing; names stay text."""
    aside = _ASIDE if caption.upward else 0.0
    room = 72 * figure.get_figwidth() + aside - 2 * _EDGE
    told = [line for text in caption.details for line in _wrapped(text, room)]
    entries = _placed(caption.key, room)
    rows = 1 + max(line for *_, line in entries) if entries else 0
    top = _EDGE + _LINE * (1 + len(told) + rows) + _EDGE / 2
    _grow(figure, aside, top)
    for artist in figure.findobj():
        artist.set_gid(None)  # what the page shows on hovering over it
    width, height = 72 * figure.get_size_inches()
    if caption.upward:
        _name_axis(figure, caption.upward)
    strip = figure.add_axes((0, 1 - top / height, 1, top / height))
    strip.axis("off")
    strip.set(xlim=(0, width), ylim=(top, 0))
    middle = _EDGE + _LINE / 2
    _write(strip, _cut(caption.title, room, _TITLE), _EDGE, middle, INK, _TITLE)
    for number, text in enumerate(told, start=1):
        _write(strip, text, _EDGE, middle + _LINE * number, MUTED, _SMALL)
    for name, style, x, line in entries:
        _draw_entry(strip, name, style, x, middle + _LINE * (1 + len(told) + line))
    return figure


def _grow(figure: Figure, left: float, top: float) -> None:
    """Adds so many points on two sides; what is drawn keeps its size."""
    width, height = 72 * figure.get_size_inches()
    for axes in figure.axes:
        x, y, across, up = axes.get_position().bounds
        axes.set_position(
            (
                (left + x * width) / (left + width),
                y * height / (top + height),
                across * width / (left + width),
                up * height / (top + height),
            )
        )
    figure.set_size_inches((left + width) / 72, (top + height) / 72)


def _name_axis(figure: Figure, text: str) -> None:
    box = figure.axes[0].get_position()
    figure.text(
        (_EDGE + FONT_SIZE / 2) / (72 * figure.get_figwidth()),
        (box.y0 + box.y1) / 2,
        text,
        rotation=90,
        ha="center",
        va="center",
        color=MUTED,
        size=FONT_SIZE,
        parse_math=False,
    )


def _write(strip: Axes, text: str, x: float, y: float, colour: str, size: float) -> None:
    label(strip, text, (x, y), ("data", "data"), (0, 0), "left", colour, size)


def _draw_entry(strip: Axes, name: str, style: Style, x: float, y: float) -> None:
    """The line and marker of a series, as in the page's key, and its name."""
    ends = [x, x + _SWATCH]
    strip.plot(ends, [y, y], color=style.colour, linestyle=style.dash, linewidth=1.6)
    strip.plot([x + _SWATCH / 2], [y], **marker(style))
    _write(strip, name, x + _SWATCH + _AFTER, y, INK, _SMALL)


def _placed(key: Sequence[tuple[str, Style]], room: float) -> list[tuple[str, Style, float, int]]:
    """Each entry with where it begins and in which line, as many in a line as there is room for."""
    placed: list[tuple[str, Style, float, int]] = []
    x, line = _EDGE, 0
    for name, style in key:
        text = _cut(name, room - _SWATCH - _AFTER, _SMALL)
        width = _SWATCH + _AFTER + _letters(len(text), _SMALL)
        if placed and x + width > _EDGE + room:
            x, line = _EDGE, line + 1
        placed.append((text, style, x, line))
        x += width + 2 * _AFTER
    return placed


def _letters(number: int, size: float) -> float:
    """About how wide so many letters are, in points."""
    return number * LETTER * size / FONT_SIZE


def _fitting(room: float, size: float) -> int:
    """How many letters of that size there is room for."""
    return max(2, int(room / _letters(1, size)))


def _cut(text: str, room: float, size: float) -> str:
    return shortened(text, _fitting(room, size))


def _wrapped(text: str, room: float) -> list[str]:
    most = _fitting(room, _SMALL)
    return textwrap.wrap(printable(text), most, max_lines=_LINES, placeholder=" …")


def narrow(figure: Figure, width: float) -> Figure:
    """The same figure, so many points wide, with all in it that is measured in points."""
    from matplotlib.collections import Collection
    from matplotlib.lines import Line2D
    from matplotlib.text import Annotation, Text

    factor = width / (72 * figure.get_figwidth())
    figure.set_size_inches(*(factor * figure.get_size_inches()))
    for artist in figure.findobj():
        if isinstance(artist, Text):
            artist.set_fontsize(factor * float(artist.get_fontsize()))
        if isinstance(artist, Annotation) and artist.anncoords == "offset points":
            across, up = artist.xyann
            artist.xyann = (factor * across, factor * up)
        if isinstance(artist, Line2D):
            artist.set_linewidth(factor * artist.get_linewidth())
            artist.set_markersize(factor * artist.get_markersize())
            artist.set_markeredgewidth(factor * artist.get_markeredgewidth())
        if isinstance(artist, Collection):
            artist.set_linewidth(list(factor * np.atleast_1d(artist.get_linewidth())))
    for axes in figure.axes:
        axes.tick_params(labelsize=factor * FONT_SIZE, pad=factor * _TICK_PAD)
        for axis in (axes.xaxis, axes.yaxis):
            axis.labelpad *= factor
    return figure
