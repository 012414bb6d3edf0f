"""Native sparse attention (NSA): blocks of keys in brief, the best of them in full, and a window.

Three branches are averaged with gates of the query. Blocks are compressed by a linear map of all
their positions side by side; they do not overlap, and are the blocks that are selected from, so
that the scores of the compressed keys are the importance (the paper's section 3.3.2). Every head
has keys of its own, and selects for itself.

Compressed keys and their scores are computed in float32 at least. In bfloat16 they would tie, and
which block is selected would say nothing of the layer.
"""

from __future__ import annotations

import numpy as np

from harness.checks import Allowed
from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, glorot
from suites.attention.formula import (
    CHECK_LENGTH,
    attend,
    causal,
    heads_apart,
    queries_keys_values,
    score_flops,
    score_products,
)
from suites.attention.full import full_attention
from suites.sparse_attention.chosen_blocks import (
    blocks,
    chosen_keys,
    decided_blocks,
    other_scores,
    own_scores,
)
from suites.sparse_attention.native_sparse_keras import native_sparse as _keras_native_sparse
from suites.sparse_attention.native_sparse_torch import native_sparse as _torch_native_sparse

BRANCHES = 3


def _weights(c: Config) -> dict[str, Tensor]:
    return {
        "key_compression": glorot(c.block * c.head_dim, c.head_dim),
        "value_compression": glorot(c.block * c.head_dim, c.head_dim),
        "gate": glorot(c.head_dim, BRANCHES),
    }


def _compressed(x: Array, kernel: Array, c: Config) -> Array:
    """One row for each block; a shorter last one ends in zeros."""
    padded = np.zeros((c.batch, c.heads, blocks(c) * c.block, c.head_dim))
    padded[:, :, : c.seq] = x
    found: Array = padded.reshape(c.batch, c.heads, blocks(c), -1) @ kernel
    return found


def _importance(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    keys = _compressed(inputs["key"], weights["key_compression"], c)
    importance: Array = inputs["query"] @ keys.swapaxes(-2, -1)
    return importance


def _native_sparse_attention(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    query, key, value = (inputs[name] for name in ("query", "key", "value"))
    keys = _compressed(key, weights["key_compression"], c)
    values = _compressed(value, weights["value_compression"], c)
    position = np.arange(c.seq)
    visible, near = None, abs(position[:, None] - position) <= c.window
    if c.causal:  # of blocks only those that have ended
        visible = (np.arange(blocks(c)) + 1) * c.block <= position[:, None] + 1
        near &= causal(c.seq, c.seq)
    branches = (
        attend(query, keys, values, visible),
        attend(query, key, value, chosen_keys(_importance(inputs, weights, c), c)),
        attend(query, key, value, near),
    )
    gates = 1 / (1 + np.exp(-query @ weights["gate"]))
    averaged: Array = (gates[..., None, :] * np.stack(branches, axis=-1)).sum(axis=-1)
    return averaged


def _brief_scores(c: Config) -> int:
    """Of all queries of a head with compressed keys."""
    if not c.causal:
        return int(c.seq * blocks(c))
    full, rest = divmod(c.seq, c.block)  # query i sees (i + 1) // block of them
    return int(c.block * full * (full - 1) // 2 + full * (rest + 1))


def _near_scores(c: Config) -> int:
    reach = min(c.window, c.seq - 1)
    ahead = c.seq * reach - reach * (reach + 1) // 2
    return int(c.seq + ahead * (1 if c.causal else 2))


def _head_scores(c: Config) -> int:
    return _brief_scores(c) + own_scores(c) + other_scores(c) + _near_scores(c)


def _scores(c: Config) -> int:
    return int(c.batch * c.heads * _head_scores(c))


def _map_products(c: Config) -> int:
    """Compression of keys and values, and the gates."""
    compression = 2 * blocks(c) * c.block * c.head_dim**2
    return int(2 * c.batch * c.heads * (compression + c.seq * c.head_dim * BRANCHES))


def _flops(c: Config) -> int:
    """Besides all products: a sigmoid each gate; a product each branch, and the sums of them."""
    averaging = BRANCHES + (2 * BRANCHES - 1) * c.head_dim
    return (
        score_flops(c, _scores(c)) + _map_products(c) + int(c.batch * c.heads * c.seq * averaging)
    )


NATIVE_SPARSE_ATTENTION = Layer(
    name="native_sparse_attention",
    family="sparse_attention",
    formula="y = g_1 attend(Q, K', V') + g_2 attend(Q, blocks of the k highest Q K'^T, its own "
    "among them) + g_3 attend(Q, window), with K', V' a linear map of each block, "
    "g = sigmoid(Q W)",
    presets={
        "textbook": {
            "heads": 2,
            "head_dim": 16,
            "causal": True,
            "block": 8,
            "k": 3,
            "window": 8,
        },
        "bert_like": {
            "heads": 8,
            "head_dim": 64,
            "causal": True,
            "block": 64,
            "k": 4,
            "window": 256,
        },
    },
    allowed={"window": Allowed(least=0)},
    inputs=queries_keys_values,
    weights=_weights,
    output=heads_apart,
    reference=_native_sparse_attention,
    flops=_flops,
    products=lambda c: score_products(c, _scores(c)) + _map_products(c),
    builders={"torch": Builder(_torch_native_sparse), "keras": Builder(_keras_native_sparse)},
    has_seq=True,
    check_length=CHECK_LENGTH,
    density=lambda c: _head_scores(c) / c.seq**2,
    decided=lambda inputs, weights, c: decided_blocks(_importance(inputs, weights, c), c),
    approximated=full_attention,
    complexity="O(seq · (block · k + window + head_dim + seq / block) · heads · head_dim)",
    source="Yuan et al. (2025), arXiv:2502.11089, equations 5 to 12",
)
