"""Which blocks of keys a query attends to when it may choose them: its own, and the best others."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from harness.layer import Array, Config
from suites.sparse_attention.selection import decided, highest


def blocks(c: Config) -> int:
    """The last one may be shorter."""
    return math.ceil(c.seq / int(c.block))


def fitted(c: Config) -> Config:
    """With no block longer than the sequence, which would be filled up to it."""
    return replace(c, params={**c.params, "block": min(c.block, c.seq)})


def others(c: Config) -> int:
    """Blocks that a query chooses besides its own, if there are as many."""
    return min(int(c.k), blocks(c)) - 1


def chosen_keys(gate: Array, c: Config) -> Array:
    """Booleans (..., seq, seq): the keys of the chosen blocks that a query may see.

    Args:
        gate: how much each query wants each block, (..., seq, blocks).
        c: if causal, no block after a query's own is chosen.
    """
    position = np.arange(c.seq)
    keys: Array = highest(_own_first(gate, c), others(c) + 1)[..., position // c.block]
    return keys & (position <= position[:, None]) if c.causal else keys


def decided_blocks(gate: Array, c: Config) -> Array:
    """Booleans (..., seq, 1): whether rounding cannot have chosen other blocks."""
    return decided(_own_first(gate, c), others(c) + 1)[..., None]


def _own_first(gate: Array, c: Config) -> Array:
    """A query's own block before all others, and none that is out of the question."""
    own, block = np.arange(c.seq)[:, None] // c.block, np.arange(blocks(c))
    gate = np.where(block == own, np.inf, gate)
    return np.where(block > own, -np.inf, gate) if c.causal else gate


def own_scores(c: Config) -> int:
    """Of all queries of a head, within their own blocks."""
    full, rest = divmod(c.seq, c.block)
    if c.causal:
        return int(full * c.block * (c.block + 1) + rest * (rest + 1)) // 2
    return int(full * c.block**2 + rest**2)


def other_scores(c: Config) -> int:
    """Of all queries of a head, with the blocks that they choose.

    Unless all are chosen a shorter last block counts as a whole one: whether a query chooses it
    depends on the values.
    """
    if c.causal:
        return int(c.block * sum(min(b, others(c)) * _length(b, c) for b in range(blocks(c))))
    return int(min(c.seq * others(c) * c.block, c.seq**2 - own_scores(c)))


def candidates(c: Config) -> int:
    """(query, block) of a head that are weighed against each other."""
    if c.causal:
        return int(sum(b * _length(b, c) for b in range(blocks(c))))
    return int(c.seq * (blocks(c) - 1))


def _length(block: int, c: Config) -> int:
    return int(min(c.block, c.seq - block * c.block))
