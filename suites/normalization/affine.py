"""What normalizations share: a scale and an offset a feature, and how elements are counted."""

from __future__ import annotations

import numpy as np

from harness.layer import Array, Arrays, Config, Tensor, normal
from suites import _spatial

EPSILON = 1e-5
"""Under the root, beside the variance: torch's default; that of Keras is 1e-3."""
STATISTICS = 3
"""Operations an element behind a mean and a variance: sum, square, sum of the squares."""


def affine_weights(features: int) -> dict[str, Tensor]:
    """A scale near 1 and an offset near 0."""
    return {"gamma": normal(features, mean=1.0, std=0.1), "beta": normal(features, std=0.1)}


def standardized(x: Array, axes: tuple[int, ...]) -> Array:
    """(x - mean) / sqrt(biased variance + `EPSILON`) over these axes."""
    centred = x - x.mean(axes, keepdims=True)
    scaled: Array = centred / np.sqrt(x.var(axes, keepdims=True) + EPSILON)
    return scaled


def torch_affine(weights: Arrays, _c: Config) -> Arrays:
    """Under torch's names."""
    return {"weight": weights["gamma"], "bias": weights["beta"]} if weights else {}


def keras_axis(c: Config) -> int:
    """Where the channels are, which Keras's normalizations are told as an axis."""
    return 1 if _spatial.keras_data_format(c) == "channels_first" else -1
