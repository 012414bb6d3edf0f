"""Attention as the formula has it: two products with a softmax between, all scores in memory."""

from __future__ import annotations

import math
from typing import Any

from harness.layer import Array, Builder, Config
from suites.attention.masked import TorchMask, declare, mask


def _torch_plain(c: Config) -> Any:
    from torch import softmax

    kept = mask(c)
    hidden = TorchMask(None if kept is None else ~kept)
    scale = 1 / math.sqrt(c.head_dim)

    def attend(query: Any, key: Any, value: Any) -> Any:
        # The queries are scaled, not the scores: these torch.compile takes for fused attention.
        scores = (query * scale) @ key.transpose(-2, -1)
        if (unseen := hidden.beside(query)) is not None:
            scores = scores.masked_fill(unseen, -math.inf)
        return softmax(scores, -1) @ value

    return attend


def keras_attend(kept: Array | None, head_dim: int) -> Any:
    """A function of queries, keys and values, each (batch, heads, length, head_dim).

    Args:
        kept: which scores count, booleans that go with (batch, heads, queries, keys).
        head_dim: of queries and keys.
    """
    from keras import ops

    seen = None if kept is None else ops.convert_to_tensor(kept)
    scale = 1 / math.sqrt(head_dim)

    def attend(query: Any, key: Any, value: Any) -> Any:
        scores = ops.matmul(query * scale, ops.swapaxes(key, -2, -1))
        if seen is not None:
            scores = ops.where(seen, scores, -math.inf)
        return ops.matmul(ops.softmax(scores), value)

    return attend


ATTENTION_PLAIN = declare(
    "attention_plain",
    "the scores written out",
    {"torch": Builder(_torch_plain), "keras": Builder(lambda c: keras_attend(mask(c), c.head_dim))},
    source="Vaswani et al. (2017), arXiv:1706.03762, section 3.2.1",
)
