"""Native sparse attention in Keras."""

from __future__ import annotations

import math
from typing import Any

from harness.layer import Config
from suites.sparse_attention.chosen_blocks import blocks
from suites.sparse_attention.chunked_keras import chunked_attention
from suites.sparse_attention.parts import keras_softmax
from suites.sparse_attention.plans import window_plan
from suites.sparse_attention.routing import keras_blocks, keras_chosen_blocks

LOWEST = -1e30
"""Of a score: it leaves no NaN where a query sees no block at all."""


def native_sparse(c: Config) -> Any:
    import keras
    from keras import ops

    near = chunked_attention(window_plan(c.seq, c.window, c.causal), c.seq)

    class NativeSparseAttention(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            flat = (c.block * c.head_dim, c.head_dim)
            self.key_compression = self.add_weight(shape=flat, name="key_compression")
            self.value_compression = self.add_weight(shape=flat, name="value_compression")
            self.gate = self.add_weight(shape=(c.head_dim, 3), name="gate")

        def call(self, query: Any, key: Any, value: Any) -> Any:
            gates = ops.sigmoid(ops.matmul(query, self.gate))
            importance = self._importance(query, key)
            return (
                gates[..., :1] * self._in_brief(importance, value)
                + gates[..., 1:2] * keras_chosen_blocks(importance, query, key, value, c)
                + gates[..., 2:] * near(query, key, value)
            )

        def _compressed(self, x: Any, kernel: Any) -> Any:
            flat = ops.reshape(keras_blocks(x, c), (c.batch, c.heads, blocks(c), -1))
            return ops.matmul(flat, kernel)

        def _importance(self, query: Any, key: Any) -> Any:
            """Scores with compressed keys, (batch, heads, seq, blocks)."""
            exact = keras.backend.result_type(query.dtype, "float32")
            kernel = ops.cast(self.key_compression, exact)
            compressed = self._compressed(ops.cast(key, exact), kernel)
            scaled = ops.cast(query, exact) / math.sqrt(c.head_dim)
            return ops.matmul(scaled, ops.swapaxes(compressed, -2, -1))

        def _in_brief(self, scores: Any, value: Any) -> Any:
            compressed = self._compressed(value, self.value_compression)
            if not c.causal:
                return ops.matmul(ops.cast(keras_softmax(scores), value.dtype), compressed)
            ended = (ops.arange(blocks(c)) + 1) * c.block <= ops.arange(1, c.seq + 1)[:, None]
            weights = keras_softmax(ops.where(ended, scores, LOWEST)) * ops.cast(
                ended, scores.dtype
            )
            return ops.matmul(ops.cast(weights, value.dtype), compressed)

    return NativeSparseAttention()
