"""A grid of speedups as a drawing; a page has it as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.canvas import FONT_SIZE, GRID, INK, LETTER, MUTED, PAPER, canvas, label
from harness.report.heatmap import HeatCell, HeatMap
from harness.report.text import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FASTER, SLOWER = "#0072b2", "#d55e00"
"""As in the page: blue and vermilion of Okabe and Ito (2008)."""
_STRONGEST = 0.5
"""Of a tint, so that the text on it keeps its contrast."""
_WIDTH, _HEIGHT, _LINE, _HEAD, _FOOT, _EDGE = 84.0, 21.0, 13.0, 22.0, 6.0, 8.0
"""In points: a cell, and what a line of its note adds to its height; the names of columns above,
the rest below and aside."""
_SMALL = FONT_SIZE - 2.5
_LONGEST = 28
"""Letters of a line's name."""
_LEAST = 3
"""Columns that the drawing has room for at least, so that its caption has some."""


def figure(found: HeatMap) -> Figure:
    """Names to the left and above; hatched where the interval contains 1."""
    names = [shortened(line.name, _LONGEST) for line in found.lines]
    columns, lines = len(found.columns), len(found.lines)
    left = max(map(len, names)) * LETTER + 2 * _EDGE
    spare = max(0, _LEAST - columns) * _WIDTH
    cells = [cell for line in found.lines for cell in line.cells]
    notes = max(len(cell.notes) for cell in cells)
    height = lines * (_HEIGHT + notes * _LINE)
    size = left + columns * _WIDTH + spare + _EDGE, _HEAD + height + _FOOT
    drawn, axes = canvas(*size, (left, spare + _EDGE, _HEAD, _FOOT))
    axes.grid(visible=False)
    axes.set(xlim=(0, columns), ylim=(lines, 0), xticks=[], yticks=[])
    for x, name in enumerate(found.columns):
        label(axes, name, (x + 0.5, 0), ("data", "data"), (0, 10), "center", MUTED)
    for y, (name, line) in enumerate(zip(names, found.lines, strict=True)):
        label(axes, name, (0, y + 0.5), ("data", "data"), (-_EDGE, 0), "right", INK)
        for x, cell in enumerate(line.cells):
            _draw(axes, cell, x, y)
    return drawn


def _draw(axes: Axes, cell: HeatCell, x: int, y: int) -> None:
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Rectangle

    strength = cell.strength or 0.0
    tint = to_rgb(FASTER if strength > 0 else SLOWER)
    share = abs(strength) * _STRONGEST
    face = [share * a + (1 - share) * b for a, b in zip(tint, to_rgb(PAPER), strict=True)]
    hatch = "///" if cell.unsure else None
    axes.add_patch(
        Rectangle((x, y), 1, 1, facecolor=face, edgecolor=GRID, hatch=hatch, linewidth=0.7)
    )
    at, data = (x + 0.5, y + 0.5), ("data", "data")
    colour = SLOWER if cell.failed else INK
    middle = _LINE * len(cell.notes) / 2
    label(axes, cell.text, at, data, (0, middle), "center", colour)
    for number, note in enumerate(cell.notes, start=1):
        label(axes, note, at, data, (0, middle - _LINE * number), "center", INK, _SMALL)
