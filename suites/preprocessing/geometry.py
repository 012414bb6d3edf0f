"""Formulas of layers that move what is in images, of (batch, 3, rows, columns)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from harness.layer import Array, Config

Affine: TypeAlias = tuple[float, float, float, float, float, float]
"""Where a value of the output at (x, y) comes from: (a x + b y + c, d x + e y + f)."""


def roundings(c: Config) -> float:
    """Of a value that is looked up at a place that is rounded to float32, as a place may be `size`.

    Between two neighbours lies up to the brightest value.
    """
    return float(4 * c.size)


def resized(x: Array, c: Config) -> Array:
    """Bilinear, pixels being squares with their values in the middle, without antialiasing."""
    at = (np.arange(c.target) + 0.5) * c.size / c.target - 0.5
    at = np.clip(at, 0, c.size - 1)
    return _looked_up(x, *np.meshgrid(at, at, indexing="ij"))


def center_cropped(x: Array, c: Config) -> Array:
    start = (c.size - c.target) // 2
    return x[:, :, start : start + c.target, start : start + c.target]


def rotations(x: Array, c: Config) -> Sequence[Array]:
    """By a share of the circle, about the middle."""
    cos, sin = math.cos(2 * math.pi * c.factor), math.sin(2 * math.pi * c.factor)
    middle = (c.size - 1) / 2
    across, down = middle * (1 - cos + sin), middle * (1 - sin - cos)
    return [transformed(x, (cos, -sin, across, sin, cos, down))]


def translations(x: Array, c: Config) -> Sequence[Array]:
    """Down and to the right, by a share of the size."""
    shift = -c.factor * c.size
    return [transformed(x, (1, 0, shift, 0, 1, shift))]


def zooms(x: Array, c: Config) -> Sequence[Array]:
    """So much more is seen."""
    zoom = 1 + c.factor
    start = (c.size - 1) / 2 * (1 - zoom)
    return [transformed(x, (zoom, 0, start, 0, zoom, start))]


def shears(x: Array, c: Config) -> Sequence[Array]:
    """Along both axes by the factor, or by less than nothing."""
    signed = (c.factor, -c.factor)
    return [transformed(x, (1, shear, 0, shear, 1, 0)) for shear in signed]


def transformed(x: Array, affine: Affine) -> Array:
    """Bilinear; beyond an edge the image goes on as in a mirror, Keras's default."""
    a, b, c, d, e, f = affine
    rows, columns = x.shape[2:]
    y_at, x_at = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    return _looked_up(
        x,
        _mirrored(d * x_at + e * y_at + f, rows),
        _mirrored(a * x_at + b * y_at + c, columns),
    )


def _mirrored(at: Array, length: int) -> Array:
    """Of places up to a length beyond: dcba|abcd|dcba."""
    folded = np.where(at < 0, -at - 1, np.where(at >= length, 2 * length - 1 - at, at))
    return np.clip(folded, 0, length - 1)


def _looked_up(x: Array, rows: Array, columns: Array) -> Array:
    """Bilinear between the values around these places, all inside."""
    top, left = np.floor(rows).astype(np.int64), np.floor(columns).astype(np.int64)
    bottom = np.minimum(top + 1, x.shape[2] - 1)
    right = np.minimum(left + 1, x.shape[3] - 1)
    across, down = columns - left, rows - top
    above = x[:, :, top, left] * (1 - across) + x[:, :, top, right] * across
    below = x[:, :, bottom, left] * (1 - across) + x[:, :, bottom, right] * across
    return above * (1 - down) + below * down
