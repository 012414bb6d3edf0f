"""Patterns that repeat every so many positions: classes of positions, and a grid of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.layer import Array
from suites.sparse_attention.plans import plan_scores, window_plan


@dataclass(frozen=True)
class Classes:
    """Classes of positions, those that leave the remainders first, …, end - 1, all as long."""

    first: int
    end: int
    length: int


def residue_classes(seq: int, modulus: int) -> tuple[Classes, ...]:
    """Positions 0 to seq - 1 by their remainder; none that is empty."""
    length, longer = divmod(seq, modulus)
    both = (Classes(0, longer, length + 1), Classes(longer, modulus, length))
    return tuple(c for c in both if c.length and c.end > c.first)


@dataclass(frozen=True, eq=False)
class Grid:
    """Positions in rows of ``stride``: what a query sees is near its own place, or in its column.

    What is added to scores is 0, or -inf where a query does not attend.

    Attributes:
        rows: of the grid; the last one may be filled up.
        after: rows of keys after a query's own among those near it; before it is one.
        band: for the scores of keys nearby, (stride, keys).
        inside: likewise, (rows, 1, keys), for what lies beyond both ends.
        column: for the scores of keys in the column, (rows, 1, rows); not the query's own row,
            which is nearby.
        filled: likewise, (stride, rows), for keys that only fill up.
    """

    rows: int
    after: int
    band: Array
    inside: Array
    column: Array
    filled: Array

    @property
    def nearby(self) -> int:
        """Keys near a query, as many as ``band`` has."""
        return int(self.band.shape[1])


@lru_cache(maxsize=64)
def grid(seq: int, stride: int, causal: bool) -> Grid:
    """Distances below ``stride``, then multiples of it: together what `patterns.strided` has."""
    rows = -(-seq // stride)
    after = 0 if causal else 1
    place = np.arange(stride)[:, None]
    near = np.arange(-stride, stride * (1 + after))
    band = (abs(place - near) < stride) & ((near <= place) | (not causal))
    positions = stride * np.arange(rows)[:, None] + near
    row = np.arange(rows)[:, None]
    column = row > row.T if causal else row != row.T
    filled = stride * np.arange(rows) + place < seq
    return Grid(
        rows,
        after,
        _added(band),
        _added((positions >= 0) & (positions < seq))[:, None],
        _added(column)[:, None],
        _added(filled),
    )


def _added(seen: Array) -> Array:
    values: Array = np.where(seen, np.float32(0), np.float32(-np.inf))
    return values


def grid_scores(seq: int, stride: int, causal: bool) -> int:
    """Scores that a head asks for in one sequence."""
    columns = sum(
        (c.end - c.first) * c.length * (c.length - 1) for c in residue_classes(seq, stride)
    )
    near = plan_scores(window_plan(seq, stride - 1, causal), seq)
    return near + (columns // 2 if causal else columns)
