"""Drawings small enough for a line of a table or a card, of which a page holds thousands.

A drawing of matplotlib takes some kilobytes and some ten milliseconds, one of these a few hundred
bytes: its coordinates are whole pixels, and how its marks look stands in the style of the page,
once, by their classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TypeAlias

from markupsafe import Markup

Point: TypeAlias = tuple[int, int]
"""To the right, and down."""


@dataclass(frozen=True)
class Mark:
    """One path.

    Attributes:
        kind: its class, which tells the page's style how it looks.
        path: its ``d``.
    """

    kind: str
    path: str


@dataclass(frozen=True)
class Label:
    """Text that ends left of the drawing, its foot at a height."""

    y: int
    text: str


def drawing(
    kind: str, marks: Iterable[Mark], labels: Iterable[Label] = (), description: str = ""
) -> Markup:
    """An ``<svg>`` element, as large as the page's style says for its class.

    Args:
        kind: its class.
        marks: the first one lowest.
        labels: beside it.
        description: what it shows, for those who do not see it; empty if the text beside it
            says so.
    """
    told = Markup('role="img" aria-label="{}"').format(description)
    parts = [
        Markup('<svg class="{}" {}>').format(kind, told if description else _HIDDEN),
        *(Markup('<path class="{}" d="{}"/>').format(mark.kind, mark.path) for mark in marks),
        *(Markup('<text y="{}">{}</text>').format(label.y, label.text) for label in labels),
        Markup("</svg>"),
    ]
    return Markup("").join(parts)


_HIDDEN = Markup('aria-hidden="true"')


def upward(low: float, high: float, height: int) -> Callable[[float], int]:
    """Places on a logarithmic axis: ``low`` at its foot, ``height``, and ``high`` at 0."""
    length = math.log(high / low)
    return lambda value: round(height * math.log(high / value) / length)


def line(points: Sequence[Point]) -> str:
    """A path through one or more points, each told by how far it is from the one before."""
    (x, y), *_ = points
    steps = [step for (a, b), (c, d) in pairwise(points) for step in (c - a, d - b)]
    return f"M{x} {y}{_numbers('l', steps) or 'h0'}"


def level(start: int, end: int, y: int) -> str:
    """A path from left to right."""
    return f"M{start} {y}h{end - start}"


def bars(left: int, lengths: Sequence[int], thickness: int) -> str:
    """The outline of bars to the right of a place, the first at the top, without a gap between."""
    path, last = f"M{left} 0", 0
    for length, alike in groupby(lengths):
        path += f"h{length - last}v{thickness * len(list(alike))}"
        last = length
    return f"{path}H{left}z"


def _numbers(command: str, values: Sequence[int]) -> str:
    """``l1-3 4 5``: a minus parts two numbers as well as a space does."""
    text = "".join(str(value) if value < 0 else f" {value}" for value in values)
    return f"{command}{text.lstrip()}" if text else ""
