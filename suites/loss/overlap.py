"""Losses of how far two masks overlap, over all of a batch at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from harness.layer import Array, Config, Layer, Tensor, labels, uniform
from suites.loss.declaration import Presets, loss

_PRESETS: Presets = {
    "textbook": {"size": 8},
    "unet": {"size": 388},  # of the mask: Ronneberger et al. (2015), arXiv:1505.04597, figure 1
}


def _masks(c: Config) -> Mapping[str, Tensor]:
    shape = (c.batch, c.size, c.size)
    return {"x": uniform(*shape, low=0.05, high=0.95), "target": labels(*shape)}


def _dice(x: Array, t: Array) -> Array:
    return np.asarray(1 - 2 * (t * x).sum() / (t.sum() + x.sum()))


def _tversky(x: Array, t: Array) -> Array:
    both, missed, wrong = (t * x).sum(), (t * (1 - x)).sum(), ((1 - t) * x).sum()
    return np.asarray(1 - both / (both + missed / 2 + wrong / 2))


_of_masks = partial(loss, _masks, _PRESETS)

OVERLAP: tuple[Layer, ...] = (
    _of_masks(
        "dice_loss",
        "1 - 2 sum of t x / (sum of t + sum of x)",
        _dice,
        4,
        keras="Dice",
        source="Milletari et al. (2016), arXiv:1606.04797, but for the squares",
    ),
    # With both its weights at 1/2, as Keras has them, the number is that of the Dice loss.
    _of_masks(
        "tversky_loss",
        "1 - TP / (TP + FN / 2 + FP / 2), the sums of t x, t (1 - x) and (1 - t) x",
        _tversky,
        8,
        keras="Tversky",
        source="Salehi et al. (2017), arXiv:1706.05721",
    ),
)
