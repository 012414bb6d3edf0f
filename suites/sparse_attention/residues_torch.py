"""In torch: patterns that repeat every so many positions, whose classes stand apart in a grid."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from suites.sparse_attention.chunked_torch import chunked_attention, joined
from suites.sparse_attention.plans import window_plan
from suites.sparse_attention.residues import grid, residue_classes

SCORES_BYTES = 2**24
"""Of scores that are made at once on a CPU, so that they stay in the cache."""


def dilated_attention(
    seq: int, window: int, dilation: int, causal: bool
) -> Callable[[Any, Any, Any], Any]:
    """Each class of positions by itself, where its window has no gaps.

    A function of queries, keys and values, each (batch, heads, seq, head_dim).
    """
    from torch.nn.functional import pad

    classes = residue_classes(seq, dilation)
    rows = classes[0].length
    attends = [chunked_attention(window_plan(c.length, window, causal), c.length) for c in classes]

    def attend(query: Any, key: Any, value: Any) -> Any:
        apart = [_in_rows(tensor, rows, dilation).transpose(1, 2) for tensor in (query, key, value)]
        found = []
        for members, run in zip(classes, attends, strict=True):
            own = [t[:, members.first : members.end, : members.length] for t in apart]
            found.append(pad(run(*own), (0, 0, 0, rows - members.length)))
        return joined(found, 1).transpose(1, 2).flatten(1, 2)[:, :seq].reshape(query.shape)

    return attend


def strided_attention(seq: int, stride: int, causal: bool) -> Callable[[Any, Any, Any], Any]:
    """Keys nearby and keys in the column of a grid of ``stride`` columns, in one softmax.

    The fused kernel normalizes what it is given, and no set of keys serves a whole chunk of
    queries here, so scores are written out: a query has 3 (causal 2) times ``stride`` of those
    nearby and seq / ``stride`` in its column.
    A function of queries, keys and values, each (batch, heads, seq, head_dim).
    """
    import torch

    plan = grid(seq, stride, causal)

    @cache
    def biases(device: Any, dtype: Any) -> list[Any]:
        made = (plan.band, plan.inside, plan.column, plan.filled)
        return [torch.from_numpy(array).to(device, dtype) for array in made]

    def nearby(tensor: Any) -> Any:
        """(rows, grid rows, stride, head_dim): the keys near each grid row, in place of stride."""
        from torch.nn.functional import pad

        flat = pad(tensor.flatten(1, 2), (0, 0, stride, plan.after * stride))
        return flat.unfold(1, plan.nearby, stride).mT

    def attend_rows(query: Any, key: Any, value: Any) -> Any:
        band, inside, column, filled = biases(query.device, query.dtype)
        query = query / math.sqrt(query.shape[-1])
        near = query @ nearby(key).mT + band + inside
        far = (query.transpose(1, 2) @ key.transpose(1, 2).mT).transpose(1, 2) + column + filled
        weights = torch.cat([near, far], dim=-1).softmax(dim=-1)
        of_near, of_far = weights.split((plan.nearby, plan.rows), dim=-1)
        beside = of_far.transpose(1, 2) @ value.transpose(1, 2)
        return of_near @ nearby(value) + beside.transpose(1, 2)

    def attend(query: Any, key: Any, value: Any) -> Any:
        tensors = [_in_rows(tensor, plan.rows, stride) for tensor in (query, key, value)]
        row = plan.rows * stride * (plan.nearby + plan.rows) * query.element_size()
        at_once = max(1, SCORES_BYTES // row) if query.device.type == "cpu" else len(tensors[0])
        pieces = zip(*(tensor.split(at_once) for tensor in tensors), strict=True)
        found = joined([attend_rows(*piece) for piece in pieces], 0)
        return found.flatten(1, 2)[:, :seq].reshape(query.shape)

    return attend


def _in_rows(tensor: Any, rows: int, length: int) -> Any:
    """(batch, heads, seq, head_dim) as (batch · heads, rows, length, head_dim), filled up."""
    from torch.nn.functional import pad

    flat = tensor.flatten(0, 1)
    missing = rows * length - flat.shape[1]
    return (pad(flat, (0, 0, 0, missing)) if missing else flat).unflatten(1, (rows, length))
