"""Native sparse attention in torch."""

from __future__ import annotations

import math
from typing import Any

from harness.layer import Config
from suites.sparse_attention.chosen_blocks import blocks
from suites.sparse_attention.chunked_torch import chunked_attention
from suites.sparse_attention.plans import window_plan
from suites.sparse_attention.routing import torch_blocks, torch_chosen_blocks

LOWEST = -1e30
"""Of a score: it leaves no NaN where a query sees no block at all."""


def native_sparse(c: Config) -> Any:
    import torch
    from torch import nn

    near = chunked_attention(window_plan(c.seq, c.window, c.causal), c.seq)

    class NativeSparseAttention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            flat = (c.block * c.head_dim, c.head_dim)
            self.key_compression = nn.Parameter(torch.empty(flat))
            self.value_compression = nn.Parameter(torch.empty(flat))
            self.gate = nn.Parameter(torch.empty(c.head_dim, 3))

        def forward(self, query: Any, key: Any, value: Any) -> Any:
            gates = (query @ self.gate).sigmoid()
            importance = self._importance(query, key)
            return (
                gates[..., :1] * self._in_brief(importance, value)
                + gates[..., 1:2] * torch_chosen_blocks(importance, query, key, value, c)
                + gates[..., 2:] * near(query, key, value)
            )

        def _importance(self, query: Any, key: Any) -> Any:
            """Scores with compressed keys, (batch, heads, seq, blocks)."""
            exact = torch.promote_types(query.dtype, torch.float32)
            flat = torch_blocks(key, c).flatten(2).to(exact)
            compressed = (flat @ self.key_compression.to(exact)).unflatten(0, query.shape[:2])
            return query.to(exact) / math.sqrt(c.head_dim) @ compressed.transpose(-2, -1)

        def _in_brief(self, scores: Any, value: Any) -> Any:
            compressed = torch_blocks(value, c).flatten(2) @ self.value_compression
            compressed = compressed.unflatten(0, value.shape[:2])
            if not c.causal:
                return scores.softmax(dim=-1).to(value.dtype) @ compressed
            ends = (torch.arange(blocks(c), device=value.device) + 1) * c.block
            ended = ends <= torch.arange(1, c.seq + 1, device=value.device)[:, None]
            weights = scores.masked_fill(~ended, LOWEST).softmax(dim=-1) * ended
            return weights.to(value.dtype) @ compressed

    return NativeSparseAttention()
