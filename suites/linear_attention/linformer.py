"""Linformer: keys and values projected along the sequence to a fixed number of rows."""

from __future__ import annotations

import math
from typing import Any

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, glorot
from suites.attention.formula import (
    CHECK_LENGTH,
    attend,
    heads_apart,
    queries_keys_values,
    score_flops,
    score_products,
)
from suites.attention.full import full_attention

PROJECTIONS = ("key_projection", "value_projection")


def _weights(c: Config) -> dict[str, Tensor]:
    """E and F, shared by heads; their width keeps projected keys near N(0, 1) at any length."""
    return {name: glorot(c.rank, c.seq) for name in PROJECTIONS}


def _reference(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    key = weights["key_projection"] @ inputs["key"]
    value = weights["value_projection"] @ inputs["value"]
    return attend(inputs["query"], key, value)


def _projecting(c: Config) -> int:
    return int(4 * c.batch * c.heads * c.rank * c.seq * c.head_dim)


def _scores(c: Config) -> int:
    return int(c.batch * c.heads * c.seq * c.rank)


def _torch_linformer(c: Config) -> Any:
    import torch
    from torch import nn
    from torch.nn.functional import scaled_dot_product_attention

    class Linformer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name in PROJECTIONS:
                self.register_parameter(name, nn.Parameter(torch.empty(c.rank, c.seq)))

        def forward(self, query: Any, key: Any, value: Any) -> Any:
            key = self._project(self.key_projection, key)
            value = self._project(self.value_projection, value)
            return scaled_dot_product_attention(query, key, value)

        @staticmethod
        def _project(weight: Any, x: Any) -> Any:
            """One product for all heads, so that the weight's gradient is one too."""
            rows = x.permute(2, 0, 1, 3)
            projected = (weight @ rows.flatten(1)).unflatten(1, rows.shape[1:])
            return projected.permute(1, 2, 0, 3)

    return Linformer()


def _keras_linformer(c: Config) -> Any:
    import keras
    from keras import ops

    class Linformer(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.projections = [
                self.add_weight(shape=(c.rank, c.seq), name=name) for name in PROJECTIONS
            ]

        def call(self, query: Any, key: Any, value: Any) -> Any:
            rows = (ops.transpose(x, (2, 0, 1, 3)) for x in (key, value))
            key, value = map(self._project, self.projections, rows)
            scores = ops.matmul(query / math.sqrt(c.head_dim), ops.swapaxes(key, -2, -1))
            return ops.matmul(ops.softmax(scores), value)

        @staticmethod
        def _project(weight: Any, rows: Any) -> Any:
            """One product for all heads, so that the weight's gradient is one too."""
            seq, *others = rows.shape
            projected = ops.matmul(weight, ops.reshape(rows, (seq, math.prod(others))))
            return ops.transpose(ops.reshape(projected, (-1, *others)), (1, 2, 0, 3))

    return Linformer()


LINFORMER_ATTENTION = Layer(
    name="linformer_attention",
    family="linear_attention",
    formula="y = softmax(Q (E K)^T / sqrt(d_k)) F V, with E and F of (rank, seq)",
    presets={
        "textbook": {"heads": 2, "head_dim": 16, "rank": 8},
        "bert_like": {"heads": 8, "head_dim": 64, "rank": 256},
    },
    inputs=queries_keys_values,
    weights=_weights,
    output=heads_apart,
    reference=_reference,
    flops=lambda c: _projecting(c) + score_flops(c, _scores(c)),
    products=lambda c: _projecting(c) + score_products(c, _scores(c)),
    builders={"torch": Builder(_torch_linformer), "keras": Builder(_keras_linformer)},
    has_seq=True,
    check_length=CHECK_LENGTH,
    approximated=full_attention,
    complexity="O(seq · rank · heads · head_dim)",
    source="Wang et al. (2020), arXiv:2006.04768, with E and F shared by heads",
)
