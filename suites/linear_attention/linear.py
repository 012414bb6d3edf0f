"""Linear attention: softmax's exponential replaced by a product of elu(x) + 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer
from suites.attention.formula import CHECK_LENGTH, heads_apart, queries_keys_values
from suites.attention.full import full_attention
from suites.linear_attention.kernel import (
    keras_kernel_attention,
    kernel_attention,
    kernel_flops,
    kernel_products,
    torch_kernel_attention,
)
from suites.linear_attention.precision import keras_ranged, torch_ranged


def _features(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0))) + 1


def _reference(inputs: Arrays, _weights: Arrays, c: Config) -> Array:
    return kernel_attention(
        _features(inputs["query"]), _features(inputs["key"]), inputs["value"], c
    )


def _flops(c: Config) -> int:
    """Elu and + 1 for queries and keys, beside what every feature map costs."""
    return kernel_flops(c, c.head_dim) + int(4 * c.batch * c.heads * c.seq * c.head_dim)


def _torch_linear(c: Config) -> Any:
    from torch.nn.functional import elu

    def attend(query: Any, key: Any, value: Any) -> Any:
        dtype = value.dtype
        query, key, value = map(torch_ranged, (query, key, value))
        query, key = (elu(x).add_(1) for x in (query, key))
        return torch_kernel_attention(query, key, value, c).to(dtype)

    return attend


def _keras_linear(c: Config) -> Any:
    from keras import ops

    def attend(query: Any, key: Any, value: Any) -> Any:
        dtype = value.dtype
        query, key, value = map(keras_ranged, (query, key, value))
        attended = keras_kernel_attention(ops.elu(query) + 1, ops.elu(key) + 1, value, c)
        return ops.cast(attended, dtype)

    return attend


LINEAR_ATTENTION = Layer(
    name="linear_attention",
    family="linear_attention",
    formula="y_i = f(q_i)^T S / (f(q_i)^T z), S = sum_j f(k_j) v_j^T, z = sum_j f(k_j), "
    "f(x) = elu(x) + 1, over all j, or j <= i if causal",
    presets={
        "textbook": {"heads": 2, "head_dim": 16, "causal": False},
        "bert_like": {"heads": 8, "head_dim": 64, "causal": False},
        "gpt_like": {"heads": 8, "head_dim": 64, "causal": True},
    },
    inputs=queries_keys_values,
    output=heads_apart,
    reference=_reference,
    flops=_flops,
    products=lambda c: kernel_products(c, c.head_dim),
    builders={"torch": Builder(_torch_linear), "keras": Builder(_keras_linear)},
    has_seq=True,
    check_length=CHECK_LENGTH,
    approximated=full_attention,
    complexity="O(seq · heads · head_dim²)",
    source="Katharopoulos et al. (2020), arXiv:2006.16236",
)
