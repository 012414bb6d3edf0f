"""Native sparse attention in torch."""

from __future__ import annotations

import math
from typing import Any

from harness.layer import Config
from suites.sparse_attention.chosen_blocks import blocks
from suites.sparse_attention.routing import torch_blocks, torch_chosen_blocks

LOWEST = -1e30
"""Of a score: it leaves no NaN where a query sees no block at all."""


def native_sparse(c: Config) -> Any:
    import torch
    from torch import nn
    from torch.nn.functional import pad, scaled_dot_product_attention

    size = min(int(c.window), c.seq)
    chunks = math.ceil(c.seq / size)
    behind = 0 if c.causal else size  # keys that a chunk has besides its own and those before

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
                + gates[..., 2:] * self._near(query, key, value)
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

        def _near(self, query: Any, key: Any, value: Any) -> Any:
            """Chunks as long as the window, each against itself and its neighbours."""
            missing = chunks * size - c.seq
            queries = pad(query.flatten(0, 1), (0, 0, 0, missing))

            def neighbours(x: Any) -> Any:
                padded = pad(x.flatten(0, 1), (0, 0, size, missing + behind))
                return padded.unfold(1, 2 * size + behind, size).transpose(-2, -1)

            found = scaled_dot_product_attention(
                queries.unflatten(1, (chunks, size)),
                neighbours(key),
                neighbours(value),
                self._window(query.device)[None],
            )
            return found.flatten(1, 2)[:, : c.seq].view(query.shape)

        def _window(self, device: Any) -> Any:
            """Of each chunk, (chunks, queries, keys); queries of the padding see padding."""
            starts = size * torch.arange(chunks, device=device)[:, None, None]
            queries = starts + torch.arange(size, device=device)[:, None]
            keys = starts - size + torch.arange(2 * size + behind, device=device)
            inside = (keys >= 0) & ((keys < c.seq) | (queries >= c.seq))
            near = (queries - keys).abs() <= c.window
            return inside & near & (keys <= queries) if c.causal else inside & near

    return NativeSparseAttention()
