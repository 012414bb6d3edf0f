"""Queries are brought to the blocks of keys that they chose, and not keys to queries.

A key is gathered once for a whole group of queries that chose its block, so that memory and
traffic grow with the number of (query, block) pairs times head_dim, and not with that times the
block. Pairs are sorted by block, and each block's pairs begin a group of their own; groups are as
large as a block. How many there may be is known beforehand, so all shapes are fixed.
"""

from __future__ import annotations

import math
from typing import Any

from harness.layer import Config
from suites.sparse_attention.chosen_blocks import blocks, fitted, others
from suites.sparse_attention.parts import keras_part, keras_together, torch_part, torch_together


def _groups(c: Config) -> int:
    """The most that are needed: each block may leave its last one incomplete."""
    return int(c.seq * others(c) // c.block + blocks(c))


def _padding(c: Config) -> int:
    """Keys that the last block lacks."""
    return int(blocks(c) * c.block - c.seq)


def torch_blocks(tensor: Any, c: Config) -> Any:
    """(batch, heads, seq, head_dim) to (batch heads, blocks, block, head_dim), zeros at the end."""
    from torch.nn.functional import pad

    padded = pad(tensor, (0, 0, 0, _padding(c))) if _padding(c) else tensor
    return padded.reshape(-1, blocks(c), c.block, c.head_dim)


def torch_chosen_blocks(gate: Any, query: Any, key: Any, value: Any, c: Config) -> Any:
    """Softmax attention of each query to its own block and to those that its gate is highest for.

    Args:
        gate: how much each query wants each block, (batch, heads, seq, blocks); no gradient.
        query: (batch, heads, seq, head_dim).
        key: likewise.
        value: likewise.
        c: with batch, heads, seq, head_dim, block, k, causal.
    """
    import torch

    c = fitted(c)
    keys, values = torch_blocks(key, c), torch_blocks(value, c)
    position = torch.arange(blocks(c) * c.block, device=query.device).view(blocks(c), c.block)
    hidden = (position >= c.seq)[:, None]  # of a block's queries and keys, or its keys alone
    beyond = hidden.new_zeros(hidden.shape, dtype=torch.float32).masked_fill(hidden, -math.inf)
    within = beyond
    if c.causal:
        # A query of the padding sees its block's first key, so that no softmax is empty.
        later = position[0] > position[0][:, None]
        within = beyond.masked_fill(later, -math.inf).expand(-1, c.block, -1)
    output, total = torch_part(torch_blocks(query, c), keys, values, within)
    output = output.flatten(1, 2)[:, : c.seq, None]
    if not others(c):
        return output.view(query.shape)
    own = position.view(-1)[: c.seq, None] // c.block
    block = torch.arange(blocks(c), device=query.device)
    out_of_question = block >= own if c.causal else block == own
    open_to_choice = gate.detach().masked_fill(out_of_question, -math.inf)
    highest, chosen = open_to_choice.topk(others(c), sorted=False)
    found, found_total = _torch_routed(chosen, query, keys, values, beyond, c)
    none = (highest == -math.inf).view(found_total.shape)  # early queries have fewer blocks
    total = total.flatten(1, 2)[:, : c.seq, None]
    totals = torch.cat([total, found_total.masked_fill(none, -math.inf)], dim=2)
    return torch_together(torch.cat([output, found], dim=2), totals).view(query.shape)


def _torch_routed(
    chosen: Any, query: Any, keys: Any, values: Any, beyond: Any, c: Config
) -> tuple[Any, Any]:
    """Output (rows, seq, choices, head_dim) and log-denominator of each choice by itself.

    A row is a head of an item of the batch.
    """
    import torch

    rows, pairs, slots = len(keys), c.seq * others(c), _groups(c) * c.block
    row = torch.arange(rows, device=query.device)[:, None]
    block = chosen.reshape(rows, pairs)
    in_order, order = block.sort(stable=True)
    counts = torch.zeros(rows, blocks(c), dtype=torch.int64, device=query.device)
    counts.scatter_add_(1, block, torch.ones_like(block))
    gaps = -counts % c.block  # after each block's pairs, so that the next begins a group
    slot = torch.arange(pairs, device=query.device) + (gaps.cumsum(1) - gaps).gather(1, in_order)
    # A slot that is left empty computes the first pair again, and nobody asks for it.
    pair_of = torch.zeros(rows, slots, dtype=torch.int64, device=query.device)
    pair_of.scatter_(1, slot, order)
    slot_of = torch.empty_like(order).scatter_(1, order, slot)
    block_of = block.gather(1, pair_of[:, :: c.block])

    def gathered(tensor: Any, index: Any, *shape: int) -> Any:
        """Rows of each row of the tensor."""
        flat = tensor.reshape(-1, *tensor.shape[2:])
        of_all = (index + row * tensor.shape[1]).view(-1)
        return flat.index_select(0, of_all).view(rows, *shape)

    grouped = (_groups(c), c.block, c.head_dim)
    output, total = torch_part(
        gathered(query.reshape(rows, c.seq, c.head_dim), pair_of // others(c), *grouped),
        gathered(keys, block_of, *grouped),
        gathered(values, block_of, *grouped),
        beyond[block_of] if _padding(c) else None,
    )
    back = (c.seq, others(c))
    return (
        gathered(output.flatten(1, 2), slot_of, *back, c.head_dim),
        gathered(total.flatten(1, 2), slot_of, *back),
    )


def keras_blocks(tensor: Any, c: Config) -> Any:
    """See `torch_blocks`."""
    from keras import ops

    padded = ops.pad(tensor, ((0, 0), (0, 0), (0, _padding(c)), (0, 0))) if _padding(c) else tensor
    return ops.reshape(padded, (-1, blocks(c), c.block, c.head_dim))


def keras_chosen_blocks(gate: Any, query: Any, key: Any, value: Any, c: Config) -> Any:
    """See `torch_chosen_blocks`."""
    from keras import ops

    c = fitted(c)
    rows = c.batch * c.heads
    keys, values = keras_blocks(key, c), keras_blocks(value, c)
    position = ops.reshape(ops.arange(blocks(c) * c.block), (blocks(c), c.block))
    beyond = ops.where(position >= c.seq, -math.inf, 0.0)[:, None]
    within = beyond
    if c.causal:
        # A query of the padding sees its block's first key, so that no softmax is empty.
        within = ops.where(position[0] > position[0][:, None], -math.inf, beyond)
    output, total = keras_part(keras_blocks(query, c), keys, values, within)
    output = ops.reshape(output, (rows, -1, 1, c.head_dim))[:, : c.seq]
    if not others(c):
        return ops.reshape(output, query.shape)
    own = ops.arange(c.seq)[:, None] // c.block
    block = ops.arange(blocks(c))
    out_of_question = block >= own if c.causal else ops.equal(block, own)
    open_to_choice = ops.where(out_of_question, -math.inf, ops.stop_gradient(gate))
    highest, chosen = ops.top_k(open_to_choice, others(c), sorted=False)
    found, found_total = _keras_routed(chosen, query, keys, values, beyond, c)
    some = ops.reshape(highest > -math.inf, found_total.shape)
    total = ops.reshape(total, (rows, -1, 1))[:, : c.seq]
    totals = ops.concatenate([total, ops.where(some, found_total, -math.inf)], axis=2)
    together = keras_together(ops.concatenate([output, found], axis=2), totals)
    return ops.reshape(together, query.shape)


def _keras_routed(
    chosen: Any, query: Any, keys: Any, values: Any, beyond: Any, c: Config
) -> tuple[Any, Any]:
    """See `_torch_routed`; here rows are told apart by offsets, as Keras scatters so."""
    from keras import ops

    rows, pairs, slots = c.batch * c.heads, c.seq * others(c), _groups(c) * c.block
    row = ops.arange(rows)[:, None]
    block = ops.reshape(chosen, (rows, pairs))
    order = ops.argsort(block, axis=1)
    in_order = ops.take_along_axis(block, order, axis=1)
    counts = ops.segment_sum(
        ops.ones(rows * pairs, "int32"), ops.reshape(block + row * blocks(c), -1), rows * blocks(c)
    )
    gaps = ops.reshape(-counts % c.block, (rows, blocks(c)))
    shift = ops.cumsum(gaps, axis=1) - gaps
    slot = ops.arange(pairs) + ops.take_along_axis(shift, in_order, axis=1)

    def scattered(index: Any, numbers: Any, length: int) -> Any:
        flat = ops.reshape(index + row * length, (-1, 1))
        return ops.reshape(
            ops.scatter(flat, ops.reshape(numbers, -1), (rows * length,)), (rows, length)
        )

    pair_of = scattered(slot, order, slots)
    slot_of = scattered(order, slot, pairs)
    block_of = ops.take_along_axis(block, pair_of[:, :: c.block], axis=1)

    def gathered(tensor: Any, index: Any, *shape: int) -> Any:
        flat = ops.reshape(tensor, (-1, *tensor.shape[2:]))
        of_all = ops.reshape(index + row * tensor.shape[1], -1)
        return ops.reshape(ops.take(flat, of_all, axis=0), (rows, *shape))

    grouped = (_groups(c), c.block, c.head_dim)
    output, total = keras_part(
        gathered(ops.reshape(query, (rows, c.seq, c.head_dim)), pair_of // others(c), *grouped),
        gathered(keys, block_of, *grouped),
        gathered(values, block_of, *grouped),
        ops.take(beyond, block_of, axis=0) if _padding(c) else None,
    )
    back = (c.seq, others(c))
    return (
        gathered(ops.reshape(output, (rows, slots, c.head_dim)), slot_of, *back, c.head_dim),
        gathered(ops.reshape(total, (rows, slots)), slot_of, *back),
    )
