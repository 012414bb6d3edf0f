"""Spectral normalization of a dense layer: its kernel divided by its largest singular value."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, glorot, normal


def _weights(c: Config) -> dict[str, Tensor]:
    """The kernel's gradient is not compared: Keras writes W / s over W, and the gradient it then
    gives is that by W / s.
    """
    drawn = glorot(c.in_features, c.out_features)
    return {
        "kernel": Tensor(drawn.shape, std=drawn.std, trainable=False),
        "bias": normal(c.out_features, std=0.1),
        "direction": Tensor((1, c.out_features), trainable=False),
    }


def _unit(x: Array) -> Array:
    scaled: Array = x / np.linalg.norm(x)
    return scaled


def _reference(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    """One step of the power iteration in training; in inference the kernel is as it was left."""
    kernel = weights["kernel"]
    if c.training:
        left = _unit(weights["direction"] @ kernel.T)
        right = _unit(left @ kernel)
        kernel = kernel / (left @ kernel @ right.T)
    return inputs["x"] @ kernel + weights["bias"]


def _dense(c: Config) -> int:
    return int(2 * c.batch * c.in_features * c.out_features)


def _products(c: Config) -> int:
    """In training, also three products of the kernel with a vector."""
    of_kernel = 2 * int(c.in_features * c.out_features)
    return _dense(c) + (3 * of_kernel + 2 * int(c.out_features) if c.training else 0)


def _flops(c: Config) -> int:
    """In training, also square, sum and division of two vectors, and the division of the kernel."""
    sizes = int(c.in_features), int(c.out_features)
    return _products(c) + (3 * sum(sizes) + sizes[0] * sizes[1] if c.training else 0)


def _keras(c: Config) -> Any:
    import keras

    return keras.layers.SpectralNormalization(keras.layers.Dense(c.out_features))


SPECTRAL_NORMALIZATION = Layer(
    name="spectral_normalization",
    family="normalization",
    formula="y = x W / s + b, with v = u W^T / |u W^T|, u' = v W / |v W| and s = v W u'^T in "
    "training, where W / s and u' take the place of W and u; y = x W + b in inference",
    presets={
        "textbook": {"in_features": 32, "out_features": 64},
        # The pooler of BERT-base in SNGP: Liu et al. (2020), arXiv:2006.10108.
        "sngp_bert_base": {"in_features": 768, "out_features": 768},
    },
    inputs=lambda c: {"x": normal(c.batch, c.in_features)},
    weights=_weights,
    output=lambda c: (c.batch, c.out_features),
    reference=_reference,
    flops=_flops,
    backward_flops=lambda c: 2 * _dense(c),  # the division is no part of it
    products=_products,
    builders={
        "keras": Builder(
            _keras,
            weights=lambda weights, c: {
                "kernel": weights["kernel"],
                "bias": weights["bias"],
                "vector_u": weights["direction"],
            },
            call=lambda module, c, x: module(x, training=c.training),
            covers=("keras.layers.SpectralNormalization",),
        )
    },
    lacking={
        "torch": "torch.nn has no such layer; torch.nn.utils.parametrizations.spectral_norm keeps "
        "the kernel as it is, and its gradient goes through the division"
    },
    source="Miyato et al. (2018), arXiv:1802.05957, algorithm 1",
)
