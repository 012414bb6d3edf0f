"""A suite to run: `layerbench run --suite docs/examples/rms_norm_suite.py -l own_rms_norm`."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, normal

EPSILON = 1e-6


def _rms_norm(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    x = inputs["x"]
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + EPSILON) * weights["scale"]


def _torch_rms_norm(c: Config) -> Any:
    from torch import nn

    return nn.RMSNorm(c.features, eps=EPSILON)


def _keras_rms_norm(c: Config) -> Any:
    import keras

    return keras.layers.RMSNormalization(epsilon=EPSILON)


RMS_NORM = Layer(
    name="own_rms_norm",
    family="normalization",
    formula="y = g x / sqrt(mean(x^2) + 1e-6), over the features",
    presets={"small": {"features": 64}, "llama_7b": {"features": 4096}},
    has_seq=True,
    inputs=lambda c: {"x": normal(c.batch, c.seq, c.features)},
    weights=lambda c: {"scale": normal(c.features, mean=1.0, std=0.1)},
    output=lambda c: (c.batch, c.seq, c.features),
    reference=_rms_norm,
    flops=lambda c: 4 * c.batch * c.seq * c.features,
    builders={
        "torch": Builder(_torch_rms_norm, weights=lambda w, c: {"weight": w["scale"]}),
        "keras": Builder(_keras_rms_norm),
    },
    source="Zhang and Sennrich (2019), arXiv:1910.07467, equation 4",
)
