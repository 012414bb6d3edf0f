"""Attention by locality-sensitive hashing (Reformer): queries and keys that point the same way are
likely to fall into the same bucket, and only those of one bucket attend to each other.

In each of several rounds positions are sorted by bucket, then by position, and cut into chunks;
each chunk attends to itself and to the one before, within buckets. A key that a query meets in
several rounds counts as often, as in most implementations; the paper's appendix divides by it.

Hashes are computed in float32 at least, and have no gradient. In bfloat16 the two nearest
directions would tie, and one position in another bucket moves the chunks of all that follow.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harness.checks import Allowed
from harness.layer import Array, Arrays, Builder, Config, Layer, Places, Tensor, normal
from suites.attention.formula import (
    CHECK_LENGTH,
    heads_apart,
    score_flops,
    score_products,
    softmax,
)
from suites.attention.full import by_head, visible
from suites.sparse_attention.parts import keras_part, keras_together, torch_part, torch_together
from suites.sparse_attention.selection import decided

ITSELF = -30.0
"""Added to the score of a position with itself, so that it counts only if there is no other.

The paper's -100,000 would take a score's digits with it in float32; e^-30 is no more than rounding.
"""


def _inputs(c: Config) -> dict[str, Tensor]:
    """Keys are the queries in unit length."""
    return {name: normal(*heads_apart(c)) for name in ("query", "value")}


def _weights(c: Config) -> dict[str, Tensor]:
    shape = (c.rounds, c.head_dim, c.buckets // 2)
    return {"directions": Tensor(shape, trainable=False)}


def _along(query: Array, directions: Array) -> Array:
    """Both ends of every direction, for each round, head and position; the highest is the hash."""
    along = query[None] @ directions[:, None, None]
    return np.concatenate([along, -along], axis=-1)


def _decided(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    """Heads whose hashes all are: one that is not moves the chunks of the positions after it."""
    sure = decided(_along(inputs["query"], weights["directions"]), 1)
    of_heads: Array = np.all(sure, axis=(0, -1), keepdims=True)
    return of_heads[0, ..., None]


def _shared_scores(query: Array, position: Array, c: Config) -> Array:
    """Of the queries at these positions with all keys: (..., positions, seq)."""
    key = query / np.linalg.norm(query, axis=-1, keepdims=True)
    scores: Array = query[..., position, :] @ key.swapaxes(-2, -1) / math.sqrt(c.head_dim)
    scores += ITSELF * (np.arange(c.seq) == position[:, None])
    seen = visible(c, position)
    return scores if seen is None else np.where(seen, scores, -np.inf)


def _lsh_attention(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    """All rounds as one softmax, in which a key counts as often as a query meets it."""
    meetings = np.zeros((c.batch, c.heads, c.seq, c.seq))
    for bucket in _along(inputs["query"], weights["directions"]).argmax(axis=-1):
        rank = bucket.argsort(axis=-1, kind="stable").argsort(axis=-1)
        chunk = rank // c.chunk
        back = chunk[..., :, None] - chunk[..., None, :]
        meetings += (bucket[..., :, None] == bucket[..., None, :]) & ((back == 0) | (back == 1))
    with np.errstate(divide="ignore"):
        scores = _shared_scores(inputs["query"], np.arange(c.seq), c) + np.log(meetings)
    return softmax(scores) @ inputs["value"]


def _full_attention(inputs: Arrays, _weights: Arrays, c: Config, places: Places) -> Array:
    """One round of one bucket and one chunk; see `suites.attention.full.full_attention`."""

    def of_head(head: Arrays, position: Array) -> Array:
        return softmax(_shared_scores(head["query"], position, c)) @ head["value"]

    return by_head(inputs, places, of_head)


def _scores(c: Config) -> int:
    """Of a head: chunks with themselves, and with the one before, in all rounds.

    Which of these share a bucket depends on the values.
    """
    full, rest = divmod(c.seq, c.chunk)
    within = full * c.chunk**2 + rest**2
    if c.causal:
        within = (within + c.seq) // 2
    before = c.chunk * max(c.seq - c.chunk, 0)
    return int(c.rounds * (within + before))


def _hash_flops(c: Config) -> int:
    """The product with the directions."""
    return int(2 * c.batch * c.heads * c.seq * c.head_dim * c.rounds * c.buckets // 2)


def _chunks(c: Config) -> tuple[int, int]:
    """How many, and how long each is."""
    return math.ceil(c.seq / c.chunk), min(int(c.chunk), c.seq)


def _torch_lsh(c: Config) -> Any:
    import torch
    from torch import nn
    from torch.nn.functional import normalize, pad

    rows, (chunks, chunk) = c.batch * c.heads, _chunks(c)
    padding = chunks * chunk - c.seq

    class LshAttention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            shape = (c.rounds, c.head_dim, c.buckets // 2)
            self.register_buffer("directions", torch.empty(shape))

        def forward(self, query: Any, value: Any) -> Any:
            query, value = (x.reshape(rows, c.seq, c.head_dim) for x in (query, value))
            bucket = self._buckets(query)
            bucket, order = bucket.sort(dim=-1, stable=True)
            positions = self._chunked(order, c.seq)
            buckets = self._chunked(bucket, -1)
            row = torch.arange(rows, device=query.device).view(-1, 1, 1, 1)
            chosen = (positions.clamp(max=c.seq - 1) + row * c.seq).view(-1)

            def gathered(x: Any) -> Any:
                of_all = x.reshape(-1, c.head_dim).index_select(0, chosen)
                return of_all.view(rows, c.rounds, chunks, chunk, c.head_dim)

            queries = gathered(query)
            keys = self._with_chunk_before(normalize(queries, dim=-1), 0)
            values = self._with_chunk_before(gathered(value), 0)
            bias = self._bias(
                positions[..., None],
                self._with_chunk_before(positions[..., None], c.seq).transpose(-2, -1),
                buckets[..., None],
                self._with_chunk_before(buckets[..., None], -2).transpose(-2, -1),
            )
            output, total = torch_part(queries, keys, values, bias)
            slots = chunks * chunk
            first = torch.arange(rows * c.rounds, device=query.device) * slots
            place = order.argsort(dim=-1) + first.view(rows, c.rounds, 1)
            place = place.transpose(1, 2)  # (rows, seq, rounds)
            output = output.reshape(-1, c.head_dim).index_select(0, place.reshape(-1))
            total = total.reshape(-1).index_select(0, place.reshape(-1))
            output = output.view(*place.shape, c.head_dim)
            return torch_together(output, total.view(place.shape)).view(heads_apart(c))

        def _buckets(self, query: Any) -> Any:
            """(rows, rounds, seq)."""
            exact = torch.promote_types(query.dtype, torch.float32)
            along = query.detach().to(exact)[:, None] @ self.directions.to(exact)
            return torch.cat([along, -along], dim=-1).argmax(dim=-1)

        def _chunked(self, numbers: Any, filling: int) -> Any:
            padded = pad(numbers, (0, padding), value=filling)
            return padded.view(rows, c.rounds, chunks, chunk)

        def _with_chunk_before(self, x: Any, filling: int) -> Any:
            before = pad(x[:, :, :-1], (0, 0, 0, 0, 1, 0), value=filling)
            return torch.cat([before, x], dim=-2)

        def _bias(self, query: Any, key: Any, query_bucket: Any, key_bucket: Any) -> Any:
            hidden = query_bucket != key_bucket
            if c.causal:
                hidden = hidden | (key > query)
            bias = torch.zeros(hidden.shape, dtype=torch.float32, device=hidden.device)
            return bias.masked_fill_(key == query, ITSELF).masked_fill_(hidden, -math.inf)

    return LshAttention()


def _keras_lsh(c: Config) -> Any:
    import keras
    from keras import ops

    rows, (chunks, chunk) = c.batch * c.heads, _chunks(c)
    padding = chunks * chunk - c.seq

    class LshAttention(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            shape = (c.rounds, c.head_dim, c.buckets // 2)
            self.directions = self.add_weight(shape=shape, trainable=False, name="directions")

        def call(self, query: Any, value: Any) -> Any:
            query, value = (ops.reshape(x, (rows, c.seq, c.head_dim)) for x in (query, value))
            bucket = self._buckets(query)
            # Sorted by position too: equal numbers may change places in Keras.
            order = ops.argsort(bucket * c.seq + ops.arange(c.seq), axis=-1)
            positions = self._chunked(order, c.seq)
            buckets = self._chunked(ops.take_along_axis(bucket, order, axis=-1), -1)
            row = ops.reshape(ops.arange(rows), (-1, 1, 1, 1))
            chosen = ops.minimum(positions, c.seq - 1) + row * c.seq

            def gathered(x: Any) -> Any:
                return ops.take(ops.reshape(x, (-1, c.head_dim)), chosen, axis=0)

            queries = gathered(query)
            keys = self._with_chunk_before(ops.normalize(queries, axis=-1), 0)
            values = self._with_chunk_before(gathered(value), 0)
            bias = self._bias(
                positions[..., None],
                ops.swapaxes(self._with_chunk_before(positions[..., None], c.seq), -2, -1),
                buckets[..., None],
                ops.swapaxes(self._with_chunk_before(buckets[..., None], -2), -2, -1),
            )
            output, total = keras_part(queries, keys, values, bias)
            slots = chunks * chunk
            first = ops.reshape(ops.arange(rows * c.rounds) * slots, (rows, c.rounds, 1))
            place = ops.transpose(ops.argsort(order, axis=-1) + first, (0, 2, 1))
            output = ops.take(ops.reshape(output, (-1, c.head_dim)), place, axis=0)
            total = ops.take(ops.reshape(total, -1), place, axis=0)
            return ops.reshape(keras_together(output, total), heads_apart(c))

        def _buckets(self, query: Any) -> Any:
            """(rows, rounds, seq)."""
            exact = keras.backend.result_type(query.dtype, "float32")
            directions = ops.cast(self.directions, exact)
            along = ops.matmul(ops.cast(query, exact)[:, None], directions)
            return ops.argmax(ops.concatenate([along, -along], axis=-1), axis=-1)

        def _chunked(self, numbers: Any, filling: int) -> Any:
            padded = ops.pad(numbers, ((0, 0), (0, 0), (0, padding)), constant_values=filling)
            return ops.reshape(padded, (rows, c.rounds, chunks, chunk))

        def _with_chunk_before(self, x: Any, filling: int) -> Any:
            one_before = ((0, 0), (0, 0), (1, 0), (0, 0), (0, 0))
            before = ops.pad(x[:, :, :-1], one_before, constant_values=filling)
            return ops.concatenate([before, x], axis=-2)

        def _bias(self, query: Any, key: Any, query_bucket: Any, key_bucket: Any) -> Any:
            hidden = query_bucket != key_bucket
            if c.causal:
                hidden = ops.logical_or(hidden, key > query)
            itself = ops.where(ops.equal(key, query), ITSELF, 0.0)
            return ops.where(hidden, -math.inf, itself)

    return LshAttention()


LSH_ATTENTION = Layer(
    name="lsh_attention",
    family="sparse_attention",
    formula="y = softmax(Q K^T / sqrt(d_k)) V with K = Q / |Q|, over the keys that share a bucket "
    "with the query in some round, argmax(Q R; -Q R), and are in its chunk or the one before",
    presets={
        "textbook": {
            "heads": 2,
            "head_dim": 16,
            "causal": False,
            "buckets": 8,
            "rounds": 2,
            "chunk": 8,
        },
        "bert_like": {
            "heads": 8,
            "head_dim": 64,
            "causal": False,
            "buckets": 64,
            "rounds": 4,
            "chunk": 64,
        },
    },
    allowed={"buckets": Allowed(least=2, multiple_of=2)},  # the two ends of each direction
    inputs=_inputs,
    weights=_weights,
    output=heads_apart,
    reference=_lsh_attention,
    flops=lambda c: score_flops(c, c.batch * c.heads * _scores(c)) + _hash_flops(c),
    backward_flops=lambda c: 2 * score_flops(c, c.batch * c.heads * _scores(c)),
    products=lambda c: score_products(c, c.batch * c.heads * _scores(c)) + _hash_flops(c),
    builders={"torch": Builder(_torch_lsh), "keras": Builder(_keras_lsh)},
    has_seq=True,
    check_length=CHECK_LENGTH,
    density=lambda c: _scores(c) / c.seq**2,
    decided=_decided,
    approximated=_full_attention,
    complexity="O(seq · rounds · (chunk + buckets) · heads · head_dim)",
    source="Kitaev, Kaiser and Levskaya (2020), arXiv:2001.04451, section 2",
)
