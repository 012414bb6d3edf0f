"""Attention whose scores are products of features: y_i = f(q_i)ᵀ S / (f(q_i)ᵀ z), with the sums
S = Σ_j f(k_j) v_jᵀ and z = Σ_j f(k_j) over the keys that query i sees.

Without a mask S and z are one for all queries. Causal, they are running sums, which would take a
matrix of (features, head_dim) for each position. Here they are kept once a chunk; within a chunk
the scores f(q_i)ᵀ f(k_j) are written out and masked (the form of Hua et al. 2022,
arXiv:2202.10447).
"""

from __future__ import annotations

from typing import Any

from harness.layer import Array, Config
from suites.attention.formula import causal
from suites.linear_attention.chunks import (
    chunked,
    keras_before,
    keras_join,
    keras_split,
    torch_before,
    torch_join,
    torch_split,
)
from suites.linear_attention.precision import keras_wide, torch_wide

CHUNK = 128
"""Positions in a chunk: scores cost seq x CHUNK, states seq / CHUNK x features x head_dim."""


def kernel_attention(query: Array, key: Array, value: Array, c: Config) -> Array:
    """The formula with its scores written out.

    Args:
        query: features (..., seq, features), positive.
        key: likewise.
        value: (..., seq, head_dim).
        c: says whether it is causal.
    """
    if not c.causal:  # the same sums in another order, which is linear in the length
        state, total = key.swapaxes(-2, -1) @ value, key.sum(axis=-2)[..., None]
        by_state: Array = (query @ state) / (query @ total)
        return by_state
    scores = query @ key.swapaxes(-2, -1) * causal(c.seq, c.seq)
    by_scores: Array = (scores / scores.sum(axis=-1, keepdims=True)) @ value
    return by_scores


def kernel_products(c: Config, features: int) -> int:
    """Operations of the products: of the states, with the states, with z; causal also of the
    scores within each chunk, with their masked half, and with them.
    """
    each = 4 * features * c.head_dim + 2 * features
    if not c.causal:
        return int(c.batch * c.heads * c.seq * each)
    chunks, length = chunked(c.seq, CHUNK)
    each += 2 * length * (features + c.head_dim)
    return int(c.batch * c.heads * chunks * length * each)


def kernel_flops(c: Config, features: int) -> int:
    """The products, the sum z and the division; causal also mask and sum of the scores, the
    running sums, and the two additions of what is within a chunk to what was before.
    """
    each = features + c.head_dim
    if not c.causal:
        return kernel_products(c, features) + int(c.batch * c.heads * c.seq * each)
    chunks, length = chunked(c.seq, CHUNK)
    each += 2 * length + c.head_dim + 1
    running = features * (c.head_dim + 1)
    elementwise = c.batch * c.heads * chunks * (length * each + running)
    return kernel_products(c, features) + int(elementwise)


def torch_kernel_attention(query: Any, key: Any, value: Any, c: Config) -> Any:
    """As `kernel_attention`; four axes."""
    import torch

    def times(query: Any, total: Any) -> Any:
        """As a product with a matrix of one column, which this is several times as fast as."""
        return torch.einsum("...nm,...m->...n", query, total)[..., None]

    if not c.causal:
        total = torch_wide(key).sum(-2).to(key.dtype)
        return (query @ (key.mT @ value)) / times(query, total)
    seq = query.shape[-2]
    query, key, value = (torch_split(x, CHUNK) for x in (query, key, value))
    scores = (query @ key.mT).tril_()
    states = torch_wide(key.mT @ value).cumsum(-3)
    totals = torch_wide(key).sum(-2, keepdim=True).cumsum(-3)
    states, totals = (torch_before(x).to(query.dtype) for x in (states, totals))
    weighted = scores @ value + query @ states
    weights = scores.sum(-1, keepdim=True) + times(query, totals.squeeze(-2))
    # Features of padding may be zero, and 0 / 0 would spoil gradients.
    return torch_join(weighted, seq) / torch_join(weights, seq)


def keras_kernel_attention(query: Any, key: Any, value: Any, c: Config) -> Any:
    """As `kernel_attention`; four axes."""
    from keras import ops

    if not c.causal:
        total = ops.cast(ops.sum(keras_wide(key), -2)[..., None], key.dtype)
        state = ops.matmul(ops.swapaxes(key, -2, -1), value)
        return ops.matmul(query, state) / ops.matmul(query, total)
    seq = query.shape[-2]
    query, key, value = (keras_split(x, CHUNK) for x in (query, key, value))
    transposed = ops.swapaxes(key, -2, -1)
    scores = ops.tril(ops.matmul(query, transposed))
    states = ops.cumsum(keras_wide(ops.matmul(transposed, value)), axis=2)
    totals = ops.cumsum(ops.sum(keras_wide(key), -2)[..., None], axis=2)
    states, totals = (ops.cast(keras_before(x), query.dtype) for x in (states, totals))
    weighted = ops.matmul(scores, value) + ops.matmul(query, states)
    weights = ops.sum(scores, -1, keepdims=True) + ops.matmul(query, totals)
    # Features of padding may be zero, and 0 / 0 would spoil gradients.
    return keras_join(weighted, seq) / keras_join(weights, seq)
