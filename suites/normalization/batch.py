"""Batch normalization, of a batch of features and of one to three axes of space."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, normal, uniform
from harness.types import Value
from suites import _spatial
from suites.normalization.affine import (
    EPSILON,
    STATISTICS,
    affine_weights,
    keras_axis,
    torch_affine,
)

MOMENTUM = 0.9
"""The share of the old running statistics that an update keeps, as Keras counts it (default
0.99). torch counts the share of the new: its default of 0.1 is this."""


def _weights(c: Config) -> Mapping[str, Tensor]:
    return {
        **affine_weights(c.features),
        "moving_mean": uniform(c.features, low=-0.5, high=0.5, trainable=False),
        "moving_variance": uniform(c.features, low=0.5, high=1.5, trainable=False),
    }


def _reference(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    """Only the output is compared: torch keeps a running variance without bias, Keras one with."""
    x = np.moveaxis(inputs["x"], 1, -1)
    mean, variance = weights["moving_mean"], weights["moving_variance"]
    if c.training:
        batch = tuple(range(x.ndim - 1))
        mean, variance = x.mean(batch), x.var(batch)
    y = (x - mean) / np.sqrt(variance + EPSILON) * weights["gamma"] + weights["beta"]
    return np.moveaxis(y, -1, 1)


def _torch_weights(weights: Arrays, c: Config) -> Arrays:
    return {
        **torch_affine(weights, c),
        "running_mean": weights["moving_mean"],
        "running_var": weights["moving_variance"],
    }


def _declare(
    name: str,
    rank: Callable[[Config], int],
    presets: Mapping[str, Mapping[str, Value]],
    torch: Callable[[Config], str],
    covers: tuple[str, ...],
    **keras: Any,
) -> Layer:
    """Of c.features channels, and c.size in each axis of space.

    Args:
        name: of the layer.
        rank: how many axes of space there are.
        presets: see `Layer`.
        torch: which of torch's classes it is.
        covers: all that it may be.
        keras: further options of Keras's class, which takes every rank.
    """

    def shape(c: Config) -> tuple[int, ...]:
        return _spatial.shape(c, rank(c), c.features, c.size)

    def values_per_feature(c: Config) -> int:
        return math.prod(shape(c)) // int(c.features)

    def torch_build(c: Config) -> Any:
        from torch import nn

        return getattr(nn, torch(c))(c.features, eps=EPSILON, momentum=1 - MOMENTUM)

    def keras_build(c: Config) -> Any:
        import keras as k

        return k.layers.BatchNormalization(
            axis=keras_axis(c), momentum=MOMENTUM, epsilon=EPSILON, **keras
        )

    return Layer(
        name=name,
        family="normalization",
        formula="y = gamma (x - mean) / sqrt(variance + 1e-5) + beta, a feature at a time; mean "
        "and variance (biased) of the batch in training, running ones in inference",
        presets=presets,
        inputs=lambda c: {"x": normal(*shape(c))},
        weights=_weights,
        output=shape,
        reference=_reference,
        flops=lambda c: (4 + STATISTICS * c.training) * math.prod(shape(c)),
        products=lambda c: 0,
        builders={
            "torch": Builder(
                torch_build,
                weights=_torch_weights,
                covers=covers,
                channels_last=_spatial.torch_channels_last,
                unsupported=lambda c: _spatial.torch_unsupported(c, rank(c)),
            ),
            "keras": Builder(
                keras_build,
                inputs=_spatial.keras_inputs,
                output=_spatial.keras_output,
                call=lambda module, c, x: module(x, training=c.training),
                covers=("keras.layers.BatchNormalization",),
            ),
        },
        terms=values_per_feature,
        not_applicable=lambda c: (
            "a batch of one value a feature has no variance to train with"
            if c.training and values_per_feature(c) == 1
            else ""
        ),
        source="Ioffe and Szegedy (2015), arXiv:1502.03167, algorithms 1 and 2",
    )


def _preset(features: int, size: int) -> dict[str, Value]:
    return {"features": features, "size": size, "layout": "native"}


BATCH_NORM = _declare(
    "batch_norm",
    lambda c: 2 if c.size > 1 else 0,  # a size of 1 is no image: (batch, features)
    {
        "textbook": _preset(64, 1),
        "resnet50_stem": _preset(64, 112),
        "resnet50_stage4": _preset(512, 14),
    },
    lambda c: "BatchNorm2d" if c.size > 1 else "BatchNorm1d",
    ("torch.nn.BatchNorm1d", "torch.nn.BatchNorm2d"),
)

MORE_BATCH_NORMS = (
    _declare(
        "batch_norm1d",
        lambda c: 1,
        # The first layers of PointNet, of 1024 points: Qi et al. (2017), arXiv:1612.00593.
        {"textbook": _preset(64, 16), "pointnet": _preset(64, 1024)},
        lambda c: "BatchNorm1d",
        ("torch.nn.BatchNorm1d",),
    ),
    _declare(
        "batch_norm3d",
        lambda c: 3,
        # The generator of 3D-GAN in its second block: Wu et al. (2016), arXiv:1610.07584.
        {"textbook": _preset(16, 4), "gan3d_generator": _preset(256, 8)},
        lambda c: "BatchNorm3d",
        ("torch.nn.BatchNorm3d",),
    ),
    # Here is one process and one replica, where both frameworks have nobody to synchronize with:
    # torch runs the kernels of BatchNorm2d, Keras those of tf.distribute for one replica.
    _declare(
        "sync_batch_norm",
        lambda c: 2,
        {"textbook": _preset(64, 8), "resnet50_stage4": _preset(512, 14)},
        lambda c: "SyncBatchNorm",
        ("torch.nn.SyncBatchNorm",),
        synchronized=True,
    ),
)
