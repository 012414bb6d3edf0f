"""Retention: attention with an exponential decay in the place of softmax, chunk by chunk.

The rotation of queries and keys by their position (xPos), the normalization of each head's output
and the gate belong to the layer around it, and are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer
from suites.attention.formula import CHECK_LENGTH, heads_apart, queries_keys_values
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
from suites.linear_attention.recurrence import keras_recurrence, torch_recurrence


def decays(heads: int) -> Array:
    """Gamma of each head."""
    return 1 - 2.0 ** (-5 - np.arange(heads))


def _decay_matrix(c: Config, seq: int) -> Array:
    """D of (heads, seq, seq): gamma to the distance of a key before the query, 0 after it."""
    distance = np.subtract.outer(np.arange(seq), np.arange(seq))
    matrix: Array = np.tril(decays(c.heads)[:, None, None] ** np.maximum(distance, 0))
    return matrix


def _reference(inputs: Arrays, _weights: Arrays, c: Config) -> Array:
    """The parallel form."""
    scores = inputs["query"] @ inputs["key"].swapaxes(-2, -1) * _decay_matrix(c, c.seq)
    return scores @ inputs["value"]


def _chunk_decays(c: Config) -> tuple[Array, ...]:
    """Within a chunk (heads, 1, length, length); from its start to a query and from a key to its
    end, (heads, 1, length, 1); over all of it, (heads, 1, 1, 1).
    """
    _, length = chunked(c.seq, c.chunk)
    gamma, position = decays(c.heads)[:, None, None, None], np.arange(length)[:, None]
    to_query, to_end = gamma ** (position + 1), gamma ** (length - 1 - position)
    return _decay_matrix(c, length)[:, None], to_query, to_end, gamma**length


def _products(c: Config) -> int:
    """Scores and their product with values within a chunk; states, and queries with them."""
    chunks, length = chunked(c.seq, c.chunk)
    each = 4 * length * c.head_dim + 4 * c.head_dim**2
    return int(c.batch * c.heads * chunks * length * each)


def _flops(c: Config) -> int:
    """Beside the products: decays of scores, queries and values, the sum of what is within the
    chunk and before it, and the recurrence of the states.
    """
    chunks, length = chunked(c.seq, c.chunk)
    own = length * (length + 3 * c.head_dim) + 2 * c.head_dim**2
    return _products(c) + int(c.batch * c.heads * chunks * own)


def _torch_retention(c: Config) -> Any:
    import torch
    from torch import nn

    recurrence = torch_recurrence()

    class Retention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.decays = tuple(map(torch.from_numpy, _chunk_decays(c)))  # no weights: no buffers

        def forward(self, query: Any, key: Any, value: Any) -> Any:
            self.decays = tuple(decay.to(query) for decay in self.decays)  # copied once
            within, to_query, to_end, over = self.decays
            query, key, value = (torch_split(x, c.chunk) for x in (query, key, value))
            states = torch_wide(key.mT @ (value * to_end))
            over = torch_wide(over).expand(-1, states.shape[-3], -1, -1)
            none_before = torch.zeros_like(states[..., 0, :, :])
            before = torch_before(recurrence(over, states, none_before)).to(query.dtype)
            scores = (query @ key.mT).mul_(within)
            retained = scores @ value + (query * to_query) @ before
            return torch_join(retained, c.seq)

    return Retention()


def _keras_retention(c: Config) -> Any:
    from keras import ops

    def retention(query: Any, key: Any, value: Any) -> Any:
        constants = (ops.convert_to_tensor(x, query.dtype) for x in _chunk_decays(c))
        within, to_query, to_end, over = constants
        query, key, value = (keras_split(x, c.chunk) for x in (query, key, value))
        transposed = ops.swapaxes(key, -2, -1)
        states = keras_wide(ops.matmul(transposed, value * to_end))
        over = ops.tile(keras_wide(over)[None], (1, 1, states.shape[2], 1, 1))
        none_before = ops.zeros_like(states[:, :, 0])
        before = keras_before(keras_recurrence(over, states, none_before))
        scores = ops.matmul(query, transposed) * within
        retained = ops.matmul(scores, value) + ops.matmul(
            query * to_query, ops.cast(before, query.dtype)
        )
        return keras_join(retained, c.seq)

    return retention


RETENTION = Layer(
    name="retention",
    family="linear_attention",
    formula="Y = (Q K^T * D) V, D_ij = gamma^(i - j) for j <= i, else 0, gamma = 1 - 2^(-5 - head)",
    presets={
        "textbook": {"heads": 2, "head_dim": 16, "chunk": 16},
        "bert_like": {"heads": 8, "head_dim": 64, "chunk": 128},
    },
    inputs=queries_keys_values,
    output=heads_apart,
    reference=_reference,
    flops=_flops,
    products=_products,
    builders={"torch": Builder(_torch_retention), "keras": Builder(_keras_retention)},
    has_seq=True,
    check_length=CHECK_LENGTH,
    complexity="O(seq · (chunk + head_dim) · heads · head_dim)",
    source="Sun et al. (2023), arXiv:2307.08621, equations 5, 7 and 8, without xPos",
)
