"""Draws which keys each query attends to: queries down, keys across, a square for each score."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness import units
from harness.report.canvas import FONT_SIZE, HUES, INK, MUTED, PAPER, canvas, label, set_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = ("png", "svg")
SEEN, UNSEEN = HUES[1], "#e9eef2"
_DPI = 144
_POINT = _DPI / 72
"""Pixels."""
_SIDE = 1280
"""About how many pixels all squares take together, each as many whole ones as any other."""
_MARGINS = (58.0, 24.0, 92.0, 82.0)
"""In points: left, right, top, bottom."""
_FINEST = 5
"""Pixels of a square that leave room for a line between it and the next."""


def draw(
    pattern: NDArray[np.bool_],
    name: str,
    parameters: str,
    complexity: str,
    source: str,
    suffix: str,
) -> bytes:
    """The drawing as a file of its own.

    Args:
        pattern: which keys each query attends to, (queries, keys).
        name: of the layer.
        parameters: as text.
        complexity: of the layer.
        source: where the pattern is from.
        suffix: one of `FORMATS`.
    """
    import matplotlib as mpl

    queries, keys = pattern.shape
    pixels = max(1, round(_SIDE / max(pattern.shape)))
    square = pixels / _POINT
    left, right, top, bottom = _MARGINS
    figure, axes = canvas(left + keys * square + right, top + queries * square + bottom, _MARGINS)
    axes.grid(visible=False)
    axes.set(xlim=(0, keys), ylim=(queries, 0), facecolor=UNSEEN)
    axes.xaxis.tick_top()
    set_ticks(axes, "x", _places(keys), lambda place: f"{place:.0f}")
    set_ticks(axes, "y", _places(queries), lambda place: f"{place:.0f}")
    _fill(axes, pattern)
    if pixels >= _FINEST:
        _rule(axes, queries, keys, 1 / _POINT if pixels < 4 * _FINEST else 1.0)
    _write(axes, pattern, name, parameters)
    for line, text in enumerate((complexity, source)):
        label(axes, text, (0, 0), ("axes fraction", "axes fraction"), (0, -42 - 20 * line), "left")
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        metadata = {"Date": None} if suffix == "svg" else None
        figure.savefig(buffer, format=suffix, dpi=_DPI, facecolor=PAPER, metadata=metadata)
    return buffer.getvalue()


def _places(count: int) -> list[int]:
    """Up to five round places from 0 on."""
    step = 1
    while count / step > 4:
        step *= 2
    return list(range(0, count, step))


def _fill(axes: Axes, pattern: NDArray[np.bool_]) -> None:
    """A rectangle for each run of keys, all of them as one shape without seams."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    edges = np.diff(np.pad(pattern.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]
    across = np.stack([starts, ends, ends, starts, starts], axis=1)
    down = np.stack([rows, rows, rows + 1, rows + 1, rows], axis=1)
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    path = Path(np.stack([across, down], axis=2).reshape(-1, 2).astype(float), codes * len(rows))
    axes.add_patch(PathPatch(path, facecolor=SEEN, linewidth=0))


def _rule(axes: Axes, queries: int, keys: int, width: float) -> None:
    """Lines between the squares."""
    axes.hlines(np.arange(1, queries), 0, keys, colors=PAPER, linewidth=width)
    axes.vlines(np.arange(1, keys), 0, queries, colors=PAPER, linewidth=width)


def _write(axes: Axes, pattern: NDArray[np.bool_], name: str, parameters: str) -> None:
    corner = ("axes fraction", "axes fraction")
    label(axes, name, (0, 1), corner, (0, 72), "left", INK, FONT_SIZE + 4)
    label(axes, parameters, (0, 1), corner, (0, 52), "left")
    label(axes, "key", (0.5, 1), corner, (0, 26), "center")
    axes.set_ylabel("query", color=MUTED, size=FONT_SIZE - 1.5)
    label(axes, "■", (0, 0), corner, (0, -19), "left", SEEN, FONT_SIZE + 2)
    density = f"attends: {units.percent(float(pattern.mean()))} of {pattern.size:,} scores"
    label(axes, density, (0, 0), corner, (16, -20), "left", INK)
