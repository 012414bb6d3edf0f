"""Carries out a plan in torch: the fused kernel takes whole groups of chunks at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from suites.sparse_attention.plans import Chunks, Plan, padded

GATHERED_BYTES = 2**24
"""Of keys that are copied at once on a CPU: what was copied should still be in the cache."""


def chunked_attention(plan: Plan, seq: int) -> Callable[[Any, Any, Any], Any]:
    """A function of queries, keys and values, each (batch, heads, seq, head_dim)."""
    import torch
    from torch.nn.functional import pad

    missing = padded(plan, seq) - seq

    def on(device: Any, array: Any) -> Any:
        return None if array is None else torch.from_numpy(array).to(device)

    @cache
    def constants(device: Any) -> list[tuple[Any, Any]]:
        """Of each group: its mask, with all four axes as the fused kernel wants it, and blocks."""
        masks = [None if c.mask is None else c.mask[None] for c in plan]
        return [(on(device, m), on(device, c.blocks)) for m, c in zip(masks, plan, strict=True)]

    def attend(query: Any, key: Any, value: Any) -> Any:
        tensors = [tensor.flatten(0, 1) for tensor in (query, key, value)]
        if missing:
            tensors = [pad(tensor, (0, 0, 0, missing)) for tensor in tensors]
        groups = zip(plan, constants(query.device), strict=True)
        found = [_attend(chunks, *fixed, *tensors) for chunks, fixed in groups]
        return joined(found, 1)[:, :seq].reshape(query.shape)

    return attend


def _attend(chunks: Chunks, mask: Any, blocks: Any, query: Any, key: Any, value: Any) -> Any:
    """Results for (rows, seq, head_dim): those of the queries of these chunks.

    Chunks stand where the kernel expects heads, as overlapping windows have no one axis with rows.
    """
    from torch.nn.functional import scaled_dot_product_attention

    end = chunks.start + chunks.count * chunks.size
    queries = query[:, chunks.start : end].unflatten(1, (chunks.count, chunks.size))
    rows = _rows_at_once(chunks, key)
    found = [
        scaled_dot_product_attention(
            q,
            _of_chunks(k, chunks, blocks),
            _of_chunks(v, chunks, blocks),
            attn_mask=mask,
            is_causal=chunks.causal,
        )
        for q, k, v in zip(queries.split(rows), key.split(rows), value.split(rows), strict=True)
    ]
    return joined(found, 0).flatten(1, 2)


def _rows_at_once(chunks: Chunks, key: Any) -> int:
    """All of them where keys are not copied, and where there is no cache to stay in."""
    if key.device.type != "cpu" or not chunks.gathered:
        return int(key.shape[0])
    row = chunks.count * chunks.width * key.shape[-1] * key.element_size()
    return int(max(1, GATHERED_BYTES // row))


def _of_chunks(tensor: Any, chunks: Chunks, blocks: Any) -> Any:
    """Keys or values of each chunk, (rows, chunks, keys, head_dim); windows alone are views."""
    import torch

    if blocks is not None:
        of_blocks = tensor.unflatten(1, (-1, chunks.size))
        picked = of_blocks.index_select(1, blocks.flatten())
        return picked.unflatten(1, tuple(blocks.shape)).flatten(2, 3)
    last = chunks.first_key + (chunks.count - 1) * chunks.size + chunks.keys
    windows = tensor[:, chunks.first_key : last].unfold(1, chunks.keys, chunks.size).mT
    if not chunks.shared:
        return windows
    shared = tensor[:, None, : chunks.shared].expand(-1, chunks.count, -1, -1)
    return torch.cat([shared, windows], dim=2)


def joined(parts: Sequence[Any], dim: int) -> Any:
    """Along a dimension, without a copy where there is one part only."""
    import torch

    return parts[0] if len(parts) == 1 else torch.cat(parts, dim)
