"""Nyströmformer: attention through landmarks, which are means of segments of the sequence.

The paper's layer adds a depthwise convolution of the values; this is its attention alone.
"""

from __future__ import annotations

import math
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
    softmax,
)
from suites.attention.full import full_attention
from suites.linear_attention.precision import keras_wide, torch_wide

ITERATIONS = 6
"""Of the pseudo-inverse, as in the paper."""


def _landmarks(c: Config) -> int:
    return int(min(c.landmarks, c.seq))


def _segments(c: Config) -> tuple[tuple[int, int], ...]:
    """(segments, positions in each): first the shorter ones, then those with one more."""
    length, longer = divmod(c.seq, _landmarks(c))
    both = ((_landmarks(c) - longer, length), (longer, length + 1))
    return tuple(group for group in both if group[0])


def _split(c: Config, x: Any) -> list[Any]:
    """The positions of each group of `_segments`."""
    parts, start = [], 0
    for segments, length in _segments(c):
        parts.append(x[:, :, start : start + segments * length])
        start += segments * length
    return parts


def _pseudo_inverse(a: Array) -> Array:
    """Of matrices whose rows sum to 1, so that their largest row sum need not be divided by."""
    identity = np.eye(a.shape[-1])
    z: Array = a.swapaxes(-2, -1) / a.sum(axis=-2).max(axis=-1)[..., None, None]
    for _ in range(ITERATIONS):
        az = a @ z
        z = z @ (13 * identity - az @ (15 * identity - az @ (7 * identity - az))) / 4
    return z


def _reference(inputs: Arrays, _weights: Arrays, c: Config) -> Array:
    def means(x: Array) -> Array:
        lengths = [length for segments, length in _segments(c) for _ in range(segments)]
        parts = np.split(x, np.cumsum(lengths)[:-1], axis=2)
        return np.stack([part.mean(axis=2) for part in parts], axis=2)

    query, key = means(inputs["query"]), means(inputs["key"])
    middle = softmax(query @ key.swapaxes(-2, -1) / math.sqrt(c.head_dim))
    landmarks = attend(query, inputs["key"], inputs["value"])
    return attend(inputs["query"], key, _pseudo_inverse(middle) @ landmarks)


def _scores(c: Config) -> int:
    """From queries to landmarks and from landmarks to keys."""
    return int(2 * c.batch * c.heads * c.seq * _landmarks(c))


def _middle_products(c: Config) -> int:
    """The landmarks' scores, four products an iteration, and that of the inverse with values."""
    m = _landmarks(c)
    return int(c.batch * c.heads * (4 * m**2 * c.head_dim + ITERATIONS * 8 * m**3))


def _products(c: Config) -> int:
    return score_products(c, _scores(c)) + _middle_products(c)


def _flops(c: Config) -> int:
    """Beside the products: the means' sums, scale and softmax of the landmarks' scores, sums and
    division of the first guess; a division by 4 and three subtractions of each iteration.
    """
    m = _landmarks(c)
    means = 2 * c.seq * c.head_dim
    middle = (4 + 2 + 4 * ITERATIONS) * m**2
    own = int(c.batch * c.heads * (means + middle))
    return score_flops(c, _scores(c)) + _middle_products(c) + own


def _torch_nystromformer(c: Config) -> Any:
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    def means(x: Any) -> Any:
        parts = zip(_split(c, x), _segments(c), strict=True)
        return torch.cat([part.unflatten(2, group).mean(3) for part, group in parts], 2)

    def pseudo_inverse(a: Any) -> Any:
        identity = torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)
        z = a.mT / a.sum(-2).amax(-1)[..., None, None]
        for _ in range(ITERATIONS):
            az = a @ z
            z = z / 4 @ (13 * identity - az @ (15 * identity - az @ (7 * identity - az)))
        return z

    def nystromformer(query: Any, key: Any, value: Any) -> Any:
        query_means, key_means = means(query), means(key)
        landmarks = scaled_dot_product_attention(query_means, key, value)
        # The iteration amplifies rounding: in bfloat16 it would not get near the inverse.
        scores = torch_wide(query_means) @ torch_wide(key_means).mT / math.sqrt(c.head_dim)
        inverse = pseudo_inverse(scores.softmax(-1))
        landmarks = (inverse @ torch_wide(landmarks)).to(value.dtype)
        return scaled_dot_product_attention(query, key_means, landmarks)

    return nystromformer


def _keras_nystromformer(c: Config) -> Any:
    from keras import ops

    def means(x: Any) -> Any:
        batch, heads, _, head_dim = x.shape
        parts = zip(_split(c, x), _segments(c), strict=True)
        split = (ops.reshape(part, (batch, heads, *group, head_dim)) for part, group in parts)
        return ops.concatenate([ops.mean(part, axis=3) for part in split], axis=2)

    def scaled_scores(query: Any, key: Any) -> Any:
        return ops.matmul(query / math.sqrt(c.head_dim), ops.swapaxes(key, -2, -1))

    def attend_to(query: Any, key: Any, value: Any) -> Any:
        return ops.matmul(ops.softmax(scaled_scores(query, key)), value)

    def pseudo_inverse(a: Any) -> Any:
        identity = ops.eye(a.shape[-1], dtype=a.dtype)
        z = ops.swapaxes(a, -2, -1) / ops.max(ops.sum(a, -2), -1)[..., None, None]
        for _ in range(ITERATIONS):
            az = ops.matmul(a, z)
            inner = 15 * identity - ops.matmul(az, 7 * identity - az)
            z = ops.matmul(z / 4, 13 * identity - ops.matmul(az, inner))
        return z

    def nystromformer(query: Any, key: Any, value: Any) -> Any:
        query_means, key_means = means(query), means(key)
        landmarks = attend_to(query_means, key, value)
        # The iteration amplifies rounding: in bfloat16 it would not get near the inverse.
        middle = ops.softmax(scaled_scores(keras_wide(query_means), keras_wide(key_means)))
        landmarks = ops.matmul(pseudo_inverse(middle), keras_wide(landmarks))
        return attend_to(query, key_means, ops.cast(landmarks, value.dtype))

    return nystromformer


NYSTROMFORMER_ATTENTION = Layer(
    name="nystromformer_attention",
    family="linear_attention",
    formula="y = softmax(Q K~^T / sqrt(d_k)) Z softmax(Q~ K^T / sqrt(d_k)) V, Q~ and K~ means of "
    "segments, Z six steps towards the pseudo-inverse of softmax(Q~ K~^T / sqrt(d_k))",
    presets={
        "textbook": {"heads": 2, "head_dim": 16, "landmarks": 8},
        "bert_like": {"heads": 8, "head_dim": 64, "landmarks": 64},
    },
    inputs=queries_keys_values,
    output=heads_apart,
    reference=_reference,
    flops=_flops,
    products=_products,
    builders={"torch": Builder(_torch_nystromformer), "keras": Builder(_keras_nystromformer)},
    has_seq=True,
    check_length=CHECK_LENGTH,
    approximated=full_attention,
    complexity="O(seq · landmarks · heads · head_dim + landmarks³ · heads)",
    source="Xiong et al. (2021), arXiv:2102.03902, without the convolution of values",
)
