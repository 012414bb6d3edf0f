"""Performer: softmax's exponential estimated by positive random features (FAVOR+)."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, orthogonal
from suites.attention.formula import CHECK_LENGTH, heads_apart, queries_keys_values
from suites.attention.full import full_attention
from suites.linear_attention.kernel import (
    keras_kernel_attention,
    kernel_attention,
    kernel_flops,
    kernel_products,
    torch_kernel_attention,
)
from suites.linear_attention.precision import keras_ranged, keras_wide, torch_ranged, torch_wide

# exp(q k / sqrt(d_k)) is the mean over w ~ N(0, I) of f(q) f(k), f(x) = exp(w x' - |x'|^2 / 2)
# with x' = x / d_k^(1/4). Factors that all features of a query share, and those that all keys
# share, leave the quotient as it is. So the features of each query are divided by their largest,
# and |q'|^2 / 2 goes with it; those of all keys of a head by the largest of them all. No exponent
# is then above 0, and no sum of features is 0. For the same reason no gradient goes through them.


def _reference(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    projection = weights["projection"] / c.head_dim**0.25
    query, key = inputs["query"] @ projection.T, inputs["key"] @ projection.T
    key = key - (inputs["key"] ** 2).sum(axis=-1, keepdims=True) / (2 * c.head_dim**0.5)
    query = np.exp(query - query.max(axis=-1, keepdims=True))
    key = np.exp(key - key.max(axis=(-2, -1), keepdims=True))
    return kernel_attention(query, key, inputs["value"], c)


def _projecting(c: Config) -> int:
    """Operations of the random projections of queries and keys."""
    return int(4 * c.batch * c.heads * c.seq * c.features * c.head_dim)


def _products(c: Config) -> int:
    return _projecting(c) + kernel_products(c, c.features)


def _flops(c: Config) -> int:
    """Beside the products: largest, subtraction and exp of each feature, twice; square, sum and
    subtraction of |k|^2.
    """
    rows = c.batch * c.heads * c.seq
    own = rows * (6 * c.features + 2 * c.head_dim + c.features)
    return _projecting(c) + kernel_flops(c, c.features) + int(own)


def _backward_flops(c: Config) -> int:
    """Twice the forward pass, less the gradients of the projection, which is not trained."""
    return 2 * _flops(c) - _projecting(c)


def _torch_performer(c: Config) -> Any:
    import torch
    from torch import nn

    class Performer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("projection", torch.empty(c.features, c.head_dim))

        def forward(self, query: Any, key: Any, value: Any) -> Any:
            dtype, value = value.dtype, torch_ranged(value)
            projection = torch_wide(self.projection) / c.head_dim**0.25
            query, key = torch_wide(query), torch_wide(key)
            norm = key.square().sum(-1, keepdim=True) / (2 * c.head_dim**0.5)
            query, key = query @ projection.mT, key @ projection.mT
            largest = query.detach().amax(-1, keepdim=True)
            largest_key = (key.detach().amax(-1, keepdim=True) - norm.detach()).amax(-2, True)
            # In place: features are the largest tensors here, and no gradient needs the exponents.
            query = query.sub_(largest).exp_().to(value.dtype)
            key = key.sub_(norm + largest_key).exp_().to(value.dtype)
            return torch_kernel_attention(query, key, value, c).to(dtype)

    return Performer()


def _keras_performer(c: Config) -> Any:
    import keras
    from keras import ops

    class Performer(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            shape = (c.features, c.head_dim)
            self.projection = self.add_weight(shape=shape, name="projection", trainable=False)

        def call(self, query: Any, key: Any, value: Any) -> Any:
            dtype, value = value.dtype, keras_ranged(value)
            projection = ops.transpose(keras_wide(self.projection.value)) / c.head_dim**0.25
            query, key = keras_wide(query), keras_wide(key)
            norm = ops.sum(ops.square(key), -1, keepdims=True) / (2 * c.head_dim**0.5)
            query, key = ops.matmul(query, projection), ops.matmul(key, projection) - norm
            query = ops.exp(query - ops.stop_gradient(ops.max(query, -1, keepdims=True)))
            key = ops.exp(key - ops.stop_gradient(ops.max(key, (-2, -1), keepdims=True)))
            query, key = (ops.cast(features, value.dtype) for features in (query, key))
            return ops.cast(keras_kernel_attention(query, key, value, c), dtype)

    return Performer()


PERFORMER_ATTENTION = Layer(
    name="performer_attention",
    family="linear_attention",
    formula="y_i = f(q_i)^T S / (f(q_i)^T z), S = sum_j f(k_j) v_j^T, z = sum_j f(k_j), "
    "f(x) = exp(W x' - |x'|^2 / 2), x' = x / d_k^(1/4), over all j, or j <= i if causal",
    presets={
        "textbook": {"heads": 2, "head_dim": 16, "features": 32, "causal": False},
        "bert_like": {"heads": 8, "head_dim": 64, "features": 256, "causal": False},
        "gpt_like": {"heads": 8, "head_dim": 64, "features": 256, "causal": True},
    },
    inputs=queries_keys_values,
    weights=lambda c: {"projection": orthogonal(c.features, c.head_dim)},
    output=heads_apart,
    reference=_reference,
    flops=_flops,
    backward_flops=_backward_flops,
    products=_products,
    builders={"torch": Builder(_torch_performer), "keras": Builder(_keras_performer)},
    has_seq=True,
    check_length=CHECK_LENGTH,
    approximated=full_attention,
    complexity="O(seq · features · heads · head_dim)",
    source="Choromanski et al. (2021), arXiv:2009.14794, lemma 1",
)
