"""Element top-k attention: each query keeps the keys with its k highest scores.

All scores have to be known before the highest can be chosen, so only the softmax and the values
are sparse, and the density is theirs. Queries go in slices, so that memory grows with n and not
with its square, as no slice has to keep its scores for the backward pass.

Which keys are kept is decided in float32 at least: scores rounded to bfloat16 would tie by the
dozen, and which of them is kept would say nothing of the layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer
from suites.attention.formula import (
    CHECK_LENGTH,
    PER_SCORE,
    attend,
    causal,
    heads_apart,
    queries_keys_values,
)
from suites.attention.full import full_attention
from suites.sparse_attention.parts import keras_softmax
from suites.sparse_attention.selection import decided, highest

QUERIES = 1024
"""Of a slice."""


def _visible_scores(inputs: Arrays, c: Config) -> Array:
    scores: Array = inputs["query"] @ inputs["key"].swapaxes(-2, -1)
    return np.where(causal(c.seq, c.seq), scores, -np.inf) if c.causal else scores


def _topk_attention(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    return attend(**inputs, pattern=highest(_visible_scores(inputs, c), min(c.k, c.seq)))


def _decided(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    return decided(_visible_scores(inputs, c), min(c.k, c.seq))[..., None]


def _scores(c: Config) -> int:
    """Scores of a head that a query may choose from."""
    return int(c.seq * (c.seq + 1) // 2 if c.causal else c.seq**2)


def _kept(c: Config) -> int:
    """Scores of a head that are kept: k a query, and all of an early causal one's."""
    kept = min(c.k, c.seq)
    return int(c.seq * kept - (kept * (kept - 1) // 2 if c.causal else 0))


def _products(c: Config) -> int:
    """Of all queries with all keys. The kept values are gathered and added up: no product."""
    return int(2 * c.batch * c.heads * _scores(c) * c.head_dim)


def _flops(c: Config) -> int:
    """The products, and a weighted value and the softmax of each kept score."""
    return _products(c) + int(c.batch * c.heads * _kept(c) * (2 * c.head_dim + PER_SCORE))


def _slices(c: Config) -> Iterator[tuple[slice, slice]]:
    """(queries, the keys that one of them may see) of each slice."""
    for start in range(0, c.seq, QUERIES):
        end = min(start + QUERIES, c.seq)
        yield slice(start, end), slice(0, end if c.causal else c.seq)


def _torch_topk(c: Config) -> Any:
    """The values are gathered and summed in one kernel, which never holds them side by side."""
    import torch
    from torch.nn.functional import embedding_bag

    def attend_to_highest(query: Any, key: Any, value: Any) -> Any:
        exact = torch.promote_types(query.dtype, torch.float32)
        scaled = query.to(exact) / math.sqrt(c.head_dim)
        keys = key.to(exact).transpose(-2, -1)
        position = torch.arange(c.seq, device=query.device)
        heads = torch.arange(0, c.batch * c.heads * c.seq, c.seq, device=query.device)
        heads = heads.view(c.batch, c.heads, 1, 1)
        values = value.reshape(-1, c.head_dim)

        def of_slice(rows: slice, seen: slice) -> Any:
            scores = scaled[:, :, rows] @ keys[..., seen]
            if c.causal:
                scores = scores.masked_fill(position[seen] > position[rows, None], -math.inf)
            highest, chosen = scores.topk(min(c.k, seen.stop), sorted=False)
            weights = highest.softmax(dim=-1).to(value.dtype).flatten(0, -2)
            bags = (heads + chosen).flatten(0, -2)
            summed = embedding_bag(bags, values, per_sample_weights=weights, mode="sum")
            return summed.view(c.batch, c.heads, -1, c.head_dim)

        return torch.cat([of_slice(*slices) for slices in _slices(c)], dim=-2)

    return attend_to_highest


def _keras_topk(c: Config) -> Any:
    import keras
    from keras import ops

    def attend_to_highest(query: Any, key: Any, value: Any) -> Any:
        exact = keras.backend.result_type(query.dtype, "float32")
        scaled = ops.cast(query, exact) / math.sqrt(c.head_dim)
        keys = ops.swapaxes(ops.cast(key, exact), -2, -1)
        position = ops.arange(c.seq)
        heads = ops.arange(0, c.batch * c.heads * c.seq, c.seq)
        heads = ops.reshape(heads, (c.batch, c.heads, 1, 1))
        values = ops.reshape(value, (-1, c.head_dim))

        def of_slice(rows: slice, seen: slice) -> Any:
            scores = ops.matmul(scaled[:, :, rows], keys[..., seen])
            if c.causal:
                visible = position[seen] <= position[rows, None]
                scores = ops.where(visible, scores, -math.inf)
            highest, chosen = ops.top_k(scores, min(c.k, seen.stop), sorted=False)
            weights = ops.cast(keras_softmax(highest), value.dtype)
            return ops.sum(weights[..., None] * ops.take(values, heads + chosen, axis=0), axis=-2)

        return ops.concatenate([of_slice(*slices) for slices in _slices(c)], axis=-2)

    return attend_to_highest


TOPK_ATTENTION = Layer(
    name="topk_attention",
    family="sparse_attention",
    formula="y = softmax(top_k(Q K^T / sqrt(d_k))) V: all but the k highest scores of each query "
    "are left out",
    presets={
        "textbook": {"heads": 2, "head_dim": 16, "causal": False, "k": 8},
        "bert_like": {"heads": 8, "head_dim": 64, "causal": False, "k": 64},
    },
    inputs=queries_keys_values,
    output=heads_apart,
    reference=_topk_attention,
    flops=_flops,
    products=_products,
    builders={"torch": Builder(_torch_topk), "keras": Builder(_keras_topk)},
    has_seq=True,
    check_length=CHECK_LENGTH,
    density=lambda c: _kept(c) / c.seq**2,
    decided=_decided,
    approximated=full_attention,
    complexity="O(seq² · heads · head_dim)",
    source="Gupta et al. (2021), arXiv:2106.06899",
)
