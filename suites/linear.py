"""Linear layers: a matrix product, a bias and an activation function."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, glorot, normal
from harness.types import UsageError


def _gelu(x: Array) -> Array:
    """GELU in its exact form, x Φ(x), not the tanh approximation. Source: arXiv:1606.08415."""
    from scipy.special import erf

    normal_cdf: Array = 0.5 * (1 + erf(x / math.sqrt(2)))
    return x * normal_cdf


_ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "gelu": _gelu,
}


def _inputs(c: Config) -> Mapping[str, Tensor]:
    if c.activation not in _ACTIVATIONS:
        known = ", ".join(_ACTIVATIONS)
        raise UsageError(f"no activation {c.activation!r}; choose one of: {known}")
    return {"x": normal(c.batch, c.in_features)}


def _dense(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    return _ACTIVATIONS[c.activation](inputs["x"] @ weights["kernel"] + weights["bias"])


def _torch_dense(c: Config) -> Any:
    from torch import nn

    activation = {"linear": (), "relu": (nn.ReLU(),), "tanh": (nn.Tanh(),), "gelu": (nn.GELU(),)}
    return nn.Sequential(nn.Linear(c.in_features, c.out_features), *activation[c.activation])


def _keras_dense(c: Config) -> Any:
    import keras

    return keras.layers.Dense(c.out_features, activation=c.activation)


DENSE = Layer(
    name="dense",
    family="linear",
    formula="y = f(Wx + b)",
    presets={
        "textbook": {"in_features": 32, "out_features": 64, "activation": "relu"},
        "transformer_ffn": {"in_features": 768, "out_features": 3072, "activation": "gelu"},
        "imagenet_head": {"in_features": 2048, "out_features": 1000, "activation": "linear"},
    },
    inputs=_inputs,
    weights=lambda c: {
        "kernel": glorot(c.in_features, c.out_features),
        "bias": normal(c.out_features, std=0.1),
    },
    output=lambda c: (c.batch, c.out_features),
    reference=_dense,
    flops=lambda c: c.batch * c.out_features * (2 * c.in_features + (c.activation != "linear")),
    builders={
        "torch": Builder(
            _torch_dense,
            weights=lambda weights, c: {"0.weight": weights["kernel"].T, "0.bias": weights["bias"]},
            covers=("torch.nn.Linear",),
        ),
        "keras": Builder(_keras_dense, covers=("keras.layers.Dense",)),
    },
)
