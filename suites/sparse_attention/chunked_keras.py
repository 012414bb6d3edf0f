"""Carries out a plan in Keras: groups of chunks as batched products, the softmax written out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from suites.sparse_attention.parts import keras_softmax
from suites.sparse_attention.plans import Chunks, Plan, padded


def chunked_attention(plan: Plan, seq: int) -> Callable[[Any, Any, Any], Any]:
    """A function of queries, keys and values, each (batch, heads, seq, head_dim)."""
    from keras import ops

    missing = max([padded(plan, seq), *map(_slices_end, plan)]) - seq
    # Made here and not where they are used, or every eager call would make them again.
    biases = [None if c.mask is None and not c.causal else _bias(c) for c in plan]
    blocks = [None if c.blocks is None else ops.convert_to_tensor(c.blocks.ravel()) for c in plan]

    def attend(query: Any, key: Any, value: Any) -> Any:
        tensors = [ops.reshape(tensor, (-1, *tensor.shape[2:])) for tensor in (query, key, value)]
        if missing:
            tensors = [ops.pad(tensor, ((0, 0), (0, missing), (0, 0))) for tensor in tensors]
        groups = zip(plan, biases, blocks, strict=True)
        found = [_attend(*group, *tensors) for group in groups]
        return ops.reshape(joined(found, 1)[:, :seq], query.shape)

    return attend


def _slices_end(chunks: Chunks) -> int:
    """How far the slices reach that windows are made of, the last of which may need part of it."""
    pieces = -(-chunks.keys // chunks.size) if chunks.count > 1 else 0
    return chunks.first_key + (pieces + chunks.count - 1) * chunks.size


def _bias(chunks: Chunks) -> Any:
    """What is added to scores: 0, or -inf where a query does not attend."""
    import keras

    mask = np.tri(chunks.size, dtype=bool) if chunks.mask is None else chunks.mask
    dtype = keras.config.dtype_policy().compute_dtype
    return keras.ops.convert_to_tensor(np.where(mask, 0.0, -np.inf), dtype)


def _attend(chunks: Chunks, bias: Any, blocks: Any, query: Any, key: Any, value: Any) -> Any:
    """Results for (rows, seq, head_dim): those of the queries of these chunks."""
    from keras import ops

    rows, _, head_dim = query.shape
    end = chunks.start + chunks.count * chunks.size
    split = (rows, chunks.count, chunks.size, head_dim)
    queries = ops.reshape(query[:, chunks.start : end], split) / math.sqrt(head_dim)
    scores = ops.einsum("rcqd,rckd->rcqk", queries, _of_chunks(key, chunks, blocks))
    weights = keras_softmax(scores if bias is None else scores + bias)
    found = ops.matmul(weights, _of_chunks(value, chunks, blocks))
    return ops.reshape(found, (rows, chunks.count * chunks.size, head_dim))


def _of_chunks(tensor: Any, chunks: Chunks, blocks: Any) -> Any:
    """Keys or values of each chunk, (rows, chunks, keys, head_dim)."""
    from keras import ops

    rows, _, head_dim = tensor.shape
    count, size = chunks.count, chunks.size
    if blocks is not None:
        of_blocks = ops.reshape(tensor, (rows, -1, size * head_dim))
        return ops.reshape(ops.take(of_blocks, blocks, axis=1), (rows, count, -1, head_dim))
    if count == 1:
        parts = [tensor[:, None, chunks.first_key : chunks.first_key + chunks.keys]]
    else:
        parts = [_shifted(tensor, chunks, shift) for shift in range(0, chunks.keys, size)]
    if chunks.shared:
        shared = tensor[:, None, : chunks.shared]
        parts.insert(0, ops.broadcast_to(shared, (rows, count, chunks.shared, head_dim)))
    return joined(parts, 2)


def _shifted(tensor: Any, chunks: Chunks, shift: int) -> Any:
    """Of every window the keys from this one on, as many as a chunk has queries at most."""
    from keras import ops

    rows, _, head_dim = tensor.shape
    first = chunks.first_key + shift
    piece = tensor[:, first : first + chunks.count * chunks.size]
    of_chunks = ops.reshape(piece, (rows, chunks.count, chunks.size, head_dim))
    return of_chunks[:, :, : chunks.keys - shift]


def joined(parts: Sequence[Any], axis: int) -> Any:
    """Along an axis, without a copy where there is one part only."""
    from keras import ops

    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis)
