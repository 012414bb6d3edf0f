"""Which keys each query attends to: the definitions, as booleans of (queries, keys).

They take n² elements, as they are for drawing and for the reference; what is computed follows
`suites.sparse_attention.plans`, which never makes such an array. Position i is a query, j a key.
"""

from __future__ import annotations

import numpy as np

from harness.layer import Array, Config
from suites.attention.formula import causal

SEED = 2020
"""Of random blocks; a pattern is the same in every framework, process and machine."""


def _distances(seq: int) -> Array:
    """Those of i and j, i - j."""
    positions = np.arange(seq)
    return positions[:, None] - positions


def seen(pattern: Array, c: Config) -> Array:
    """The pattern without what lies ahead, if the layer is causal."""
    return pattern & causal(c.seq, c.seq) if c.causal else pattern


def sliding_window(c: Config) -> Array:
    """|i - j| <= window."""
    return seen(abs(_distances(c.seq)) <= c.window, c)


def dilated(c: Config) -> Array:
    """|i - j| <= window · dilation, and dilation divides i - j."""
    distance = _distances(c.seq)
    return seen((abs(distance) <= c.window * c.dilation) & (distance % c.dilation == 0), c)


def strided(c: Config) -> Array:
    """|i - j| <= stride, or stride divides i - j."""
    distance = _distances(c.seq)
    return seen((abs(distance) <= c.stride) | (distance % c.stride == 0), c)


def longformer(c: Config) -> Array:
    """|i - j| <= window, or one of both is among the first ``globals``."""
    first = np.arange(c.seq) < c.globals
    near = abs(_distances(c.seq)) <= c.window
    return seen(near | first[:, None] | first, c)


def block_sparse(c: Config) -> Array:
    """The block of j is one of those drawn for the block of i."""
    count = -(-c.seq // c.block)
    return seen(_of_blocks(block_sparse_rows(count, c.blocks, c.causal), c), c)


def bigbird(c: Config) -> Array:
    """As `block_sparse`; the first blocks attend to all."""
    count = -(-c.seq // c.block)
    rows = bigbird_rows(count, c.global_blocks, c.window_blocks, c.random_blocks, c.causal)
    return seen(_of_blocks(rows, c), c)


def _of_blocks(rows: list[Array], c: Config) -> Array:
    blocks = np.zeros((len(rows), len(rows)), dtype=bool)
    for row, chosen in enumerate(rows):
        blocks[row, chosen] = True
    of = np.arange(c.seq) // c.block
    found: Array = blocks[of[:, None], of]
    return found


def block_sparse_rows(count: int, blocks: int, causal: bool) -> list[Array]:
    """For each of so many query blocks the key blocks it attends to, its own the last of them.

    The others are drawn at random, from the earlier ones if causal.
    """
    rng = np.random.default_rng(SEED)
    rows = []
    for own in range(count):
        others = own if causal else count - 1
        drawn = rng.choice(others, min(blocks - 1, others), replace=False)
        drawn += drawn >= own
        rows.append(np.append(np.sort(drawn), own))
    return rows


def bigbird_rows(
    count: int, global_blocks: int, window_blocks: int, random_blocks: int, causal: bool
) -> list[Array]:
    """For each of so many query blocks the key blocks it attends to, its own the last of them.

    They are the first ``global_blocks``, those within ``window_blocks`` // 2 of its own, and
    ``random_blocks`` of the rest, so far as there are that many. The first ``global_blocks``
    attend to all. Nothing lies ahead if causal.
    """
    rng = np.random.default_rng(SEED)
    reach = window_blocks // 2
    rows = []
    for own in range(count):
        end = own + 1 if causal else count
        low, high = max(own - reach, global_blocks), min(own + reach + 1, end)
        if own < global_blocks or global_blocks + random_blocks >= end - max(high - low, 0):
            chosen = np.arange(end)
        else:
            rest = end - global_blocks - (high - low)
            drawn = global_blocks + np.sort(rng.choice(rest, random_blocks, replace=False))
            drawn += (drawn >= low) * (high - low)
            chosen = np.concatenate([np.arange(global_blocks), np.arange(low, high), drawn])
        rows.append(np.append(chosen[chosen != own], own))
    return rows
