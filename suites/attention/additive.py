"""Additive attention: a score is a sum over tanh, and no product of queries with keys."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, normal
from harness.types import Value
from suites.attention.formula import heads_apart, queries_keys_values, softmax
from suites.attention.masked import TorchMask, all_scores, density, mask, pattern

PRESETS: Mapping[str, Mapping[str, Value]] = {
    "textbook": {"heads": 2, "head_dim": 16, "causal": False},
    "bert_like": {"heads": 8, "head_dim": 64, "causal": False},
    "gpt_like": {"heads": 8, "head_dim": 64, "causal": True},
}
CHECK_LENGTH = 128
"""Each score takes head_dim values of tanh, so that the reference is slow beyond."""


def _reference(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    """A query at a time, as the features of all scores would not fit."""
    queries = np.moveaxis(inputs["query"], 2, 0)[..., None, :]
    scores = np.stack([np.tanh(q + inputs["key"]) @ weights["scale"] for q in queries], axis=2)
    mixed: Array = softmax(np.where(pattern(c), scores, -np.inf)) @ inputs["value"]
    return mixed


def _products(c: Config) -> int:
    """Of the weights with the values; a score is a product of vectors only."""
    return 2 * all_scores(c) * int(c.head_dim)


def _flops(c: Config) -> int:
    """And for each feature of a score sum, tanh, product and sum; its exp, sum and division."""
    return _products(c) + all_scores(c) * (4 * int(c.head_dim) + 3)


def _torch_additive(c: Config) -> Any:
    import torch
    from torch import nn

    kept = mask(c)
    hidden = TorchMask(None if kept is None else ~kept)

    class AdditiveAttention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.empty(c.head_dim))

        def forward(self, query: Any, key: Any, value: Any) -> Any:
            features = query[..., :, None, :] + key[..., None, :, :]
            features.tanh_()  # in place, as they take head_dim times the memory of the scores
            scores = features @ self.scale
            if (unseen := hidden.beside(query)) is not None:
                scores = scores.masked_fill(unseen, -math.inf)
            return torch.softmax(scores, -1) @ value

    return AdditiveAttention()


def _keras_additive(c: Config) -> Any:
    """Heads become rows of the batch, as it knows three axes; its order is Q, V, K."""
    import keras

    class AdditiveAttention(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.attention = keras.layers.AdditiveAttention()

        def call(self, query: Any, key: Any, value: Any) -> Any:
            rows = (c.batch * c.heads, c.seq, c.head_dim)
            merged = [keras.ops.reshape(x, rows) for x in (query, value, key)]
            mixed = self.attention(merged, use_causal_mask=c.causal)
            return keras.ops.reshape(mixed, heads_apart(c))

    return AdditiveAttention()


ADDITIVE_ATTENTION = Layer(
    name="additive_attention",
    family="attention",
    formula="y_i = sum_j softmax_j(s^T tanh(q_i + k_j)) v_j, causal or not",
    presets=PRESETS,
    inputs=queries_keys_values,
    # Scores then have a variance of about 1/3.
    weights=lambda c: {"scale": normal(c.head_dim, std=1 / math.sqrt(c.head_dim))},
    output=heads_apart,
    reference=_reference,
    flops=_flops,
    products=_products,
    builders={
        "torch": Builder(_torch_additive),
        "keras": Builder(_keras_additive, covers=("keras.layers.AdditiveAttention",)),
    },
    has_seq=True,
    complexity="O(seq² · heads · head_dim)",
    check_length=CHECK_LENGTH,
    pattern=pattern,
    density=density,
    source="Bahdanau et al. (2015), arXiv:1409.0473, appendix A.1.2, without its projections",
)
