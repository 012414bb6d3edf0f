"""Normalization of each vector along the last axis, as transformers have it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, normal
from harness.types import Value
from suites.normalization.affine import (
    EPSILON,
    STATISTICS,
    affine_weights,
    standardized,
    torch_affine,
)

RMS_EPSILON = 1e-6
"""Keras's default, and that of T5; torch's is the machine epsilon of the dtype."""


def _shape(c: Config) -> tuple[int, ...]:
    """(batch, features), or of a layer with a sequence (batch, seq, features)."""
    return (c.batch, c.features) if c.length is None else (c.batch, c.length, c.features)


def _declare(
    name: str,
    presets: Mapping[str, Mapping[str, Value]],
    formula: str,
    reference: Callable[[Arrays, Arrays, Config], Array],
    operations: int,
    builders: Mapping[str, Builder],
    source: str,
    weights: Callable[[Config], Mapping[str, Tensor]] = lambda c: {},
    has_seq: bool = True,
) -> Layer:
    """Of c.features in the last axis; `operations` are those an element."""
    return Layer(
        name=name,
        family="normalization",
        formula=formula,
        presets=presets,
        inputs=lambda c: {"x": normal(*_shape(c))},
        weights=weights,
        output=_shape,
        reference=reference,
        flops=lambda c: operations * math.prod(_shape(c)),
        products=lambda c: 0,
        builders=builders,
        terms=lambda c: int(c.features),
        has_seq=has_seq,
        source=source,
    )


def _torch_layer_norm(c: Config) -> Any:
    from torch import nn

    return nn.LayerNorm(c.features, eps=EPSILON)


def _keras_layer_norm(_c: Config) -> Any:
    import keras

    return keras.layers.LayerNormalization(epsilon=EPSILON)


def _rms_norm(inputs: Arrays, weights: Arrays, _c: Config) -> Array:
    x = inputs["x"]
    scaled: Array = x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + RMS_EPSILON)
    return scaled * weights["gamma"]


def _torch_rms_norm(c: Config) -> Any:
    from torch import nn

    return nn.RMSNorm(c.features, eps=RMS_EPSILON)


def _keras_rms_norm(_c: Config) -> Any:
    import keras

    return keras.layers.RMSNormalization(epsilon=RMS_EPSILON)


def _torch_normalize(_c: Config) -> Any:
    """A function: torch has no module for it."""
    from torch.nn.functional import normalize

    return normalize


def _keras_normalize(_c: Config) -> Any:
    import keras

    return keras.layers.UnitNormalization()


LAST_AXIS_NORMS = (
    _declare(
        "layer_norm",
        {"textbook": {"features": 64}, "bert_base": {"features": 768}},
        "y = gamma (x - mean) / sqrt(variance + 1e-5) + beta, of each vector",
        lambda inputs, weights, c: (
            standardized(inputs["x"], axes=(-1,)) * weights["gamma"] + weights["beta"]
        ),
        4 + STATISTICS,
        {
            "torch": Builder(
                _torch_layer_norm, weights=torch_affine, covers=("torch.nn.LayerNorm",)
            ),
            "keras": Builder(_keras_layer_norm, covers=("keras.layers.LayerNormalization",)),
        },
        "Ba et al. (2016), arXiv:1607.06450",
        weights=lambda c: affine_weights(c.features),
    ),
    _declare(
        "rms_norm",
        # Of Raffel et al. (2019), arXiv:1910.10683.
        {"textbook": {"features": 64}, "t5_base": {"features": 768}},
        "y = gamma x / sqrt(mean(x²) + 1e-6), of each vector",
        _rms_norm,
        4,  # square, sum, division, gamma
        {
            "torch": Builder(
                _torch_rms_norm,
                weights=lambda weights, c: {"weight": weights["gamma"]},
                covers=("torch.nn.RMSNorm",),
            ),
            "keras": Builder(
                _keras_rms_norm,
                weights=lambda weights, c: {"scale": weights["gamma"]},
                covers=("keras.layers.RMSNormalization",),
            ),
        },
        "Zhang and Sennrich (2019), arXiv:1910.07467",
        weights=lambda c: {"gamma": normal(c.features, mean=1.0, std=0.1)},
    ),
    # The smallest length that is divided by, 1e-12 in both, is far below those of the inputs.
    _declare(
        "unit_normalization",
        # The joint embedding of images and text: Radford et al. (2021), arXiv:2103.00020.
        {"textbook": {"features": 64}, "clip_vit_b32": {"features": 512}},
        "y = x / |x|, of each vector",
        lambda inputs, weights, c: (
            inputs["x"] / np.linalg.norm(inputs["x"], axis=-1, keepdims=True)
        ),
        3,  # square, sum, division
        {
            "torch": Builder(_torch_normalize, call=lambda f, c, x: f(x, dim=-1)),
            "keras": Builder(_keras_normalize, covers=("keras.layers.UnitNormalization",)),
        },
        "https://keras.io/api/layers/normalization_layers/unit_normalization",
        has_seq=False,
    ),
)
