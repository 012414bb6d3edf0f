"""Two blocks of a transformer."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - as everyone does
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Multi-head self-attention, without dropout."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, seq, dim) to the same shape."""
        b, s, d = x.shape
        q, k, v = self.qkv(x).view(b, s, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).reshape(b, s, d))


class Gated(nn.Module):
    """A gated linear unit of four times the width, and back."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.up = nn.Linear(dim, 4 * dim)
        self.down = nn.Linear(2 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, seq, dim) to the same shape."""
        a, gate = self.up(x).chunk(2, -1)
        return self.down(a * torch.sigmoid(gate))
