"""Mixture of block attention (MoBA): a query attends to its own block of keys and to those others
whose mean key it likes best.

The gate is computed in float32 at least, and has no gradient. In bfloat16 it would tie, and which
block is chosen would say nothing of the layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer
from suites.attention.formula import (
    CHECK_LENGTH,
    attend,
    heads_apart,
    queries_keys_values,
    score_flops,
    score_products,
)
from suites.attention.full import full_attention
from suites.sparse_attention.chosen_blocks import (
    blocks,
    candidates,
    chosen_keys,
    decided_blocks,
    fitted,
    other_scores,
    own_scores,
)
from suites.sparse_attention.routing import (
    keras_blocks,
    keras_chosen_blocks,
    torch_blocks,
    torch_chosen_blocks,
)


def _gate(inputs: Arrays, c: Config) -> Array:
    starts = np.arange(0, c.seq, c.block)
    means = np.stack([inputs["key"][:, :, s : s + c.block].mean(-2) for s in starts], axis=-2)
    gate: Array = inputs["query"] @ means.swapaxes(-2, -1)
    return gate


def _moba_attention(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    return attend(**inputs, pattern=chosen_keys(_gate(inputs, c), c))


def _scores(c: Config) -> int:
    return int(c.batch * c.heads * (own_scores(c) + other_scores(c)))


def _gate_flops(c: Config) -> int:
    """The product of queries with mean keys; the means themselves are a sum a key."""
    return int(2 * c.batch * c.heads * candidates(c) * c.head_dim)


def _lengths(c: Config) -> Array:
    """Keys of each block."""
    lengths: Array = np.minimum(c.block, c.seq - np.arange(0, c.seq, c.block))
    return lengths


def _torch_moba(c: Config) -> Any:
    import torch

    c = fitted(c)
    lengths = torch.from_numpy(_lengths(c))[:, None]

    def attend_to_chosen(query: Any, key: Any, value: Any) -> Any:
        exact = torch.promote_types(query.dtype, torch.float32)
        with torch.no_grad():
            means = torch_blocks(key, c).to(exact).sum(dim=2) / lengths.to(query.device)
            means = means.view(c.batch, c.heads, blocks(c), c.head_dim)
            gate = query.to(exact) @ means.transpose(-2, -1)
        return torch_chosen_blocks(gate, query, key, value, c)

    return attend_to_chosen


def _keras_moba(c: Config) -> Any:
    import keras
    from keras import ops

    c = fitted(c)
    lengths = _lengths(c)[:, None]

    def attend_to_chosen(query: Any, key: Any, value: Any) -> Any:
        exact = keras.backend.result_type(query.dtype, "float32")
        sums = ops.sum(ops.cast(keras_blocks(ops.stop_gradient(key), c), exact), axis=2)
        means = ops.reshape(sums / ops.cast(lengths, exact), (c.batch, c.heads, -1, c.head_dim))
        gate = ops.matmul(ops.cast(query, exact), ops.swapaxes(means, -2, -1))
        return keras_chosen_blocks(gate, query, key, value, c)

    return attend_to_chosen


MOBA_ATTENTION = Layer(
    name="moba_attention",
    family="sparse_attention",
    formula="y = softmax(Q K^T / sqrt(d_k)) V over a query's own block of keys and the k - 1 "
    "others of highest q . mean(K of the block)",
    presets={
        "textbook": {"heads": 2, "head_dim": 16, "causal": True, "block": 8, "k": 3},
        "bert_like": {"heads": 8, "head_dim": 64, "causal": True, "block": 64, "k": 4},
    },
    inputs=queries_keys_values,
    output=heads_apart,
    reference=_moba_attention,
    flops=lambda c: score_flops(c, _scores(c)) + _gate_flops(c),
    backward_flops=lambda c: 2 * score_flops(c, _scores(c)),
    products=lambda c: score_products(c, _scores(c)) + _gate_flops(c),
    builders={"torch": Builder(_torch_moba), "keras": Builder(_keras_moba)},
    has_seq=True,
    check_length=CHECK_LENGTH,
    density=lambda c: (own_scores(c) + other_scores(c)) / c.seq**2,
    decided=lambda inputs, weights, c: decided_blocks(_gate(inputs, c), c),
    approximated=full_attention,
    complexity="O(seq · (block · k + seq / block) · heads · head_dim)",
    source="Lu et al. (2025), arXiv:2502.13189, section 2.2",
)
