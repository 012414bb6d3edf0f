"""Windows along an axis, and what is computed of them: the reference of all pooling but the random.

A window of an image is a product of windows of its axes, and so maxima, means and sums of it can be
taken an axis at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from harness.layer import Array, Config
from harness.types import UsageError

Window: TypeAlias = tuple[int, int]
"""First position, and the one after the last."""


def fixed(c: Config) -> list[Window]:
    """Of ``kernel`` positions every ``stride``, less those that are padding, if there is any.

    Raises:
        UsageError: a window may lie in the padding altogether, or the image is too small for one.
    """
    padding = int(c.params.get("padding", 0))  # norms have none
    if 2 * padding > c.kernel:
        raise UsageError(f"padding = {padding} is more than half of kernel = {c.kernel}")
    if c.size + 2 * padding < c.kernel:
        raise UsageError(f"no window of kernel = {c.kernel} fits into size = {c.size}")
    starts = range(-padding, c.size + padding - c.kernel + 1, c.stride)
    return [(max(start, 0), min(start + c.kernel, c.size)) for start in starts]


def adaptive(c: Config) -> list[Window]:
    """``output_size`` of them that cover the image, as even as may be."""
    size, count = int(c.size), int(c.output_size)
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def whole(c: Config) -> list[Window]:
    """One window that is the image."""
    return [(0, c.size)]


def pooled(x: Array, windows: Sequence[Window], reduce: Callable[..., Any]) -> Array:
    """(batch, channels, windows, ...) of (batch, channels, size, ...).

    Args:
        x: images.
        windows: of each axis of space.
        reduce: such as `numpy.max`; takes an array and an axis.
    """
    for axis in range(2, x.ndim):
        line = np.moveaxis(x, axis, -1)
        results = [reduce(line[..., start:end], axis=-1) for start, end in windows]
        x = np.moveaxis(np.stack(results, axis=-1), -1, axis)
    return x


def leads(x: Array, windows: Sequence[Window]) -> Array:
    """By how much the largest value of each window is above the next: the shape of `pooled`."""
    two = np.stack([x, np.full_like(x, -np.inf)], axis=-1)
    for axis in range(2, x.ndim):
        line = np.moveaxis(two, axis, -2)
        largest = [
            np.partition(found.reshape(*found.shape[:-2], -1), -2, axis=-1)[..., -2:]
            for found in (line[..., start:end, :] for start, end in windows)
        ]
        two = np.moveaxis(np.stack(largest, axis=-2), -2, axis)
    return np.asarray(two[..., 1] - two[..., 0])


def covered(windows: Sequence[Window], rank: int) -> int:
    """Positions in all windows of an image together, those in several counted in each."""
    return int(sum(end - start for start, end in windows) ** rank)
