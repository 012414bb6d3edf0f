"""Normalization layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, normal, uniform

EPSILON = 1e-5
"""torch's default; that of Keras is 1e-3."""
MOMENTUM = 0.9
"""The share of the old running statistics that an update keeps, as Keras counts it (default
0.99). torch counts the share of the new: its default of 0.1 is this."""


def _shape(c: Config) -> tuple[int, ...]:
    """(batch, features), or with a size above 1 images, (batch, features, size, size)."""
    image = (c.size, c.size) if c.size > 1 else ()
    return (c.batch, c.features, *image)


def _weights(c: Config) -> Mapping[str, Tensor]:
    return {
        "gamma": normal(c.features, mean=1.0, std=0.1),
        "beta": normal(c.features, std=0.1),
        "moving_mean": uniform(c.features, low=-0.5, high=0.5, trainable=False),
        "moving_variance": uniform(c.features, low=0.5, high=1.5, trainable=False),
    }


def _batch_norm(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    """Only the output is compared: torch keeps a running variance without bias, Keras one with."""
    x = np.moveaxis(inputs["x"], 1, -1)
    mean, variance = weights["moving_mean"], weights["moving_variance"]
    if c.training:
        batch = tuple(range(x.ndim - 1))
        mean, variance = x.mean(batch), x.var(batch)
    y = (x - mean) / np.sqrt(variance + EPSILON) * weights["gamma"] + weights["beta"]
    return np.moveaxis(y, -1, 1)


def _flops(c: Config) -> int:
    """Four an element; in training also the sum, the square and the sum of the squares."""
    elements = int(np.prod(_shape(c)))
    return (7 if c.training else 4) * elements


def _values_per_feature(c: Config) -> int:
    return int(np.prod(_shape(c))) // int(c.features)


def _torch_batch_norm(c: Config) -> Any:
    from torch import nn

    kind = nn.BatchNorm2d if c.size > 1 else nn.BatchNorm1d
    return kind(c.features, eps=EPSILON, momentum=1 - MOMENTUM)


def _keras_batch_norm(_c: Config) -> Any:
    import keras

    return keras.layers.BatchNormalization(axis=-1, momentum=MOMENTUM, epsilon=EPSILON)


BATCH_NORM = Layer(
    name="batch_norm",
    family="normalization",
    formula="y = gamma (x - mean) / sqrt(variance + 1e-5) + beta, a feature at a time; mean and "
    "variance (biased) of the batch in training, running ones in inference",
    presets={
        "textbook": {"features": 64, "size": 1},
        "resnet50_stem": {"features": 64, "size": 112},
        "resnet50_stage4": {"features": 512, "size": 14},
    },
    inputs=lambda c: {"x": normal(*_shape(c))},
    weights=_weights,
    output=_shape,
    reference=_batch_norm,
    flops=_flops,
    builders={
        "torch": Builder(
            _torch_batch_norm,
            weights=lambda weights, c: {
                "weight": weights["gamma"],
                "bias": weights["beta"],
                "running_mean": weights["moving_mean"],
                "running_var": weights["moving_variance"],
            },
        ),
        "keras": Builder(
            _keras_batch_norm,
            inputs=lambda inputs, c: (np.moveaxis(inputs["x"], 1, -1),),
            output=lambda output, c: np.moveaxis(output, -1, 1),
            call=lambda module, c, x: module(x, training=c.training),
        ),
    },
    terms=_values_per_feature,
    not_applicable=lambda c: (
        "a batch of one value a feature has no variance to train with"
        if c.training and _values_per_feature(c) == 1
        else ""
    ),
    source="Ioffe and Szegedy (2015), arXiv:1502.03167, algorithms 1 and 2",
)
