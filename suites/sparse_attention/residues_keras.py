"""In Keras: patterns that repeat every so many positions, whose classes stand apart in a grid."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from suites.sparse_attention.chunked_keras import chunked_attention, joined
from suites.sparse_attention.plans import window_plan
from suites.sparse_attention.residues import grid, residue_classes


def dilated_attention(
    seq: int, window: int, dilation: int, causal: bool
) -> Callable[[Any, Any, Any], Any]:
    """Each class of positions by itself, where its window has no gaps.

    A function of queries, keys and values, each (batch, heads, seq, head_dim).
    """
    from keras import ops

    classes = residue_classes(seq, dilation)
    rows = classes[0].length
    attends = [chunked_attention(window_plan(c.length, window, causal), c.length) for c in classes]

    def attend(query: Any, key: Any, value: Any) -> Any:
        apart = [
            ops.swapaxes(_in_rows(tensor, rows, dilation), 1, 2) for tensor in (query, key, value)
        ]
        found = []
        for members, run in zip(classes, attends, strict=True):
            own = [t[:, members.first : members.end, : members.length] for t in apart]
            missing = rows - members.length
            found.append(ops.pad(run(*own), ((0, 0), (0, 0), (0, missing), (0, 0))))
        return _in_sequence(ops.swapaxes(joined(found, 1), 1, 2), query.shape)

    return attend


def strided_attention(seq: int, stride: int, causal: bool) -> Callable[[Any, Any, Any], Any]:
    """Keys nearby and keys in the column of a grid of ``stride`` columns, in one softmax.

    A function of queries, keys and values, each (batch, heads, seq, head_dim).
    """
    import keras
    from keras import ops

    plan = grid(seq, stride, causal)
    dtype = keras.config.dtype_policy().compute_dtype
    made = (plan.band, plan.inside, plan.column, plan.filled)
    band, inside, column, filled = (ops.convert_to_tensor(array, dtype) for array in made)

    def nearby(tensor: Any) -> Any:
        """(rows, grid rows, stride, head_dim): the keys near each grid row, in place of stride."""
        ends = ops.pad(tensor, ((0, 0), (1, plan.after), (0, 0), (0, 0)))
        shifts = range(2 + plan.after)
        return joined([ends[:, shift : shift + plan.rows] for shift in shifts], 2)

    def attend(query: Any, key: Any, value: Any) -> Any:
        q, k, v = (_in_rows(tensor, plan.rows, stride) for tensor in (query, key, value))
        q = q / math.sqrt(query.shape[-1])
        near = ops.einsum("rald,rakd->ralk", q, nearby(k)) + band + inside
        far = ops.einsum("rald,rbld->ralb", q, k) + column + filled
        weights = ops.softmax(joined([near, far], 3))
        of_near, of_far = weights[..., : plan.nearby], weights[..., plan.nearby :]
        beside = ops.einsum("ralb,rbld->rald", of_far, v)
        return _in_sequence(ops.matmul(of_near, nearby(v)) + beside, query.shape)

    return attend


def _in_rows(tensor: Any, rows: int, length: int) -> Any:
    """(batch, heads, seq, head_dim) as (batch · heads, rows, length, head_dim), filled up."""
    from keras import ops

    _, _, seq, head_dim = tensor.shape
    flat = ops.reshape(tensor, (-1, seq, head_dim))
    filled = ops.pad(flat, ((0, 0), (0, rows * length - seq), (0, 0)))
    return ops.reshape(filled, (-1, rows, length, head_dim))


def _in_sequence(tensor: Any, shape: tuple[int, ...]) -> Any:
    """The way back from `_in_rows`, to (batch, heads, seq, head_dim)."""
    from keras import ops

    flat = ops.reshape(tensor, (tensor.shape[0], -1, shape[-1]))
    return ops.reshape(flat[:, : shape[2]], shape)
