"""The highest of several scores, and whether rounding could have chosen others.

What is selected jumps with the scores. Where the last one chosen and the first one left out are as
close as rounding errors are, float32 and float64 may choose differently, and both are right; such
results are not compared (`decided` of a layer). They are a few in ten thousand, as all layers
here compute what they select by in float32 at least.
"""

from __future__ import annotations

import numpy as np

from harness.layer import Array

CLOSE = 4e-6
"""Relative to the largest score: ten times what float32 products of these lengths are off."""


def highest(scores: Array, kept: int) -> Array:
    """Booleans in the shape of the scores; -inf is never among the highest."""
    threshold = np.partition(scores, -kept)[..., -kept, None]
    chosen: Array = (scores >= threshold) & (scores > -np.inf)
    return chosen


def decided(scores: Array, kept: int) -> Array:
    """Without the last axis: whether the highest are clearly above the others."""
    if kept >= scores.shape[-1]:
        return np.ones(scores.shape[:-1], dtype=bool)
    ordered = np.partition(scores, (-kept - 1, -kept))
    last, next_one = ordered[..., -kept], ordered[..., -kept - 1]
    size = np.abs(scores).max(axis=-1, where=np.isfinite(scores), initial=0.0)
    clear: Array = (next_one == -np.inf) | (last > next_one + CLOSE * size)
    return clear
