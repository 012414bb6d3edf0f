"""Linear layers: a matrix product, a bias and an activation function, and kin of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, glorot, normal
from harness.types import UsageError
from suites._builders import keras_layer, torch_module
from suites._lacking import NO_KERAS, NO_TORCH


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


def _heads(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    projected: Array = np.einsum("bsd,dhk->bshk", inputs["x"], weights["kernel"], optimize=True)
    return projected + weights["bias"]


def _heads_products(c: Config) -> int:
    return int(2 * c.batch * c.seq * c.in_features * c.heads * c.head_dim)


EINSUM_DENSE = Layer(
    name="einsum_dense",
    family="linear",
    formula="y[s, h, k] = b[h, k] + sum over d of x[s, d] W[d, h, k]",
    presets={
        "textbook": {"in_features": 64, "heads": 4, "head_dim": 16},
        # The queries of BERT-base: Devlin et al. (2019), arXiv:1810.04805, section 3.
        "bert_base": {"in_features": 768, "heads": 12, "head_dim": 64},
    },
    inputs=lambda c: {"x": normal(c.batch, c.seq, c.in_features)},
    weights=lambda c: {
        "kernel": normal(c.in_features, c.heads, c.head_dim, std=c.in_features**-0.5),
        "bias": normal(c.heads, c.head_dim, std=0.1),
    },
    output=lambda c: (c.batch, c.seq, c.heads, c.head_dim),
    reference=_heads,
    flops=_heads_products,
    products=_heads_products,
    builders={
        "keras": keras_layer(
            "EinsumDense",
            lambda c: {
                "equation": "bsd,dhk->bshk",
                "output_shape": (None, c.heads, c.head_dim),
                "bias_axes": "hk",
            },
        )
    },
    lacking=NO_TORCH,
    has_seq=True,
    source="keras.layers.EinsumDense",
)


def _bilinear(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    left = np.einsum("bi,oij->boj", inputs["x0"], weights["kernel"], optimize=True)
    product: Array = np.einsum("boj,bj->bo", left, inputs["x1"])
    return product + weights["bias"]


BILINEAR = Layer(
    name="bilinear",
    family="linear",
    formula="y[k] = b[k] + sum over i, j of x0[i] A[k, i, j] x1[j]",
    presets={
        "textbook": {"in_features": 32, "out_features": 16},
        # The slices of a neural tensor network: Socher et al. (2013), Reasoning with neural tensor
        # networks for knowledge base completion, section 4.2.
        "ntn_wordnet": {"in_features": 100, "out_features": 4},
    },
    inputs=lambda c: {
        "x0": normal(c.batch, c.in_features),
        "x1": normal(c.batch, c.in_features),
    },
    weights=lambda c: {
        "kernel": normal(c.out_features, c.in_features, c.in_features, std=1 / c.in_features),
        "bias": normal(c.out_features, std=0.1),
    },
    output=lambda c: (c.batch, c.out_features),
    reference=_bilinear,
    # The product x0 A and its sums with x1; backward two like it. No counter sees them, so they are
    # no `products`.
    flops=lambda c: 2 * c.batch * c.out_features * c.in_features * (c.in_features + 1),
    builders={
        "torch": torch_module(
            "Bilinear",
            lambda c: {
                "in1_features": c.in_features,
                "in2_features": c.in_features,
                "out_features": c.out_features,
            },
            weights=lambda weights, c: {"weight": weights["kernel"], "bias": weights["bias"]},
        )
    },
    lacking=NO_KERAS,
)
