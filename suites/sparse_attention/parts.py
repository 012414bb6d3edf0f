"""Attention to parts of the keys, each by itself, put together as if it had been one softmax.

A part gives its output and the logarithm of its softmax's denominator; the parts' outputs are then
averaged with the softmax of these. Fused kernels do not return the denominator with a gradient,
so that scores of a part are written out here, in float32 at least. Each query sees some key of
each part.
"""

from __future__ import annotations

import math
from typing import Any


def torch_part(query: Any, key: Any, value: Any, bias: Any = None) -> tuple[Any, Any]:
    """Output (..., queries, head_dim) and log-denominator (..., queries); ``bias`` to scores."""
    import torch

    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-2, -1)
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    if bias is not None:
        scores = scores + bias
    total = scores.logsumexp(dim=-1, keepdim=True)
    weights = (scores - total).exp().to(value.dtype)
    return weights @ value, total[..., 0]


def torch_together(outputs: Any, totals: Any) -> Any:
    """Of outputs (..., parts, head_dim) and log-denominators (..., parts)."""
    weights = totals.softmax(dim=-1).to(outputs.dtype)
    return (weights[..., None] * outputs).sum(dim=-2)


def keras_part(query: Any, key: Any, value: Any, bias: Any = None) -> tuple[Any, Any]:
    """See `torch_part`."""
    import keras
    from keras import ops

    scores = ops.matmul(query / math.sqrt(query.shape[-1]), ops.swapaxes(key, -2, -1))
    scores = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
    if bias is not None:
        scores = scores + bias
    total = ops.logsumexp(scores, axis=-1, keepdims=True)
    weights = ops.cast(ops.exp(scores - total), value.dtype)
    return ops.matmul(weights, value), total[..., 0]


def keras_together(outputs: Any, totals: Any) -> Any:
    """See `torch_together`."""
    from keras import ops

    weights = ops.cast(keras_softmax(totals), outputs.dtype)
    return ops.sum(weights[..., None] * outputs, axis=-2)


def keras_softmax(scores: Any) -> Any:
    """Over the last axis; Keras's own warns where it has one element, as short sequences have."""
    from keras import ops

    if scores.shape[-1] > 1:
        return ops.softmax(scores)
    return ops.exp(scores - ops.logsumexp(scores, axis=-1, keepdims=True))
