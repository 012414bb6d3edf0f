"""What every attention layer is made of: softmax(Q Kᵀ / sqrt(d_k)) V, and how it is counted."""

from __future__ import annotations

import math

import numpy as np

from harness.layer import Array, Config, Tensor, normal

CHECK_LENGTH = 512
"""Float64 NumPy takes too long beyond for references that write out scores or loop over time."""
PER_SCORE = 4
"""Scale, exp, sum and division."""


def heads_apart(c: Config) -> tuple[int, ...]:
    """Shape of queries, keys, values and the output: (batch, heads, seq, head_dim)."""
    return (c.batch, c.heads, c.seq, c.head_dim)


def queries_keys_values(c: Config) -> dict[str, Tensor]:
    """Inputs, each of the shape `heads_apart`."""
    return {name: normal(*heads_apart(c)) for name in ("query", "key", "value")}


def causal(queries: int, keys: int) -> Array:
    """Which keys come no later than the query, booleans of (queries, keys); the ends align."""
    return np.tri(queries, keys, keys - queries, dtype=bool)


def softmax(scores: Array) -> Array:
    """Over the last axis; a row that is -inf throughout gives zeros."""
    highest = scores.max(axis=-1, keepdims=True)
    weights: Array = np.exp(scores - np.where(np.isfinite(highest), highest, 0.0))
    total = weights.sum(axis=-1, keepdims=True)
    weights /= np.where(total > 0, total, 1.0)
    return weights


def attend(query: Array, key: Array, value: Array, pattern: Array | None = None) -> Array:
    """softmax(Q Kᵀ / sqrt(d_k)) V over the last two axes.

    Args:
        query: (..., queries, d_k).
        key: (..., keys, d_k).
        value: (..., keys, d_v).
        pattern: which keys each query attends to, booleans that go with (..., queries, keys);
            None for all.
    """
    scores = query @ key.swapaxes(-2, -1) / math.sqrt(query.shape[-1])
    if pattern is not None:
        scores = np.where(pattern, scores, -np.inf)
    return softmax(scores) @ value


def score_products(c: Config, scores: int) -> int:
    """Operations of the two products, for so many scores in all."""
    return 4 * scores * int(c.head_dim)


def score_flops(c: Config, scores: int) -> int:
    """All operations behind so many scores."""
    return score_products(c, scores) + PER_SCORE * scores
