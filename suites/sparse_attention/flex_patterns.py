"""Patterns that FlexAttention is given: which pairs count, and of which blocks some or all do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.layer import Array, Config
from suites.sparse_attention.patterns import SEED, block_sparse_rows, seen


@dataclass(frozen=True)
class Blocks:
    """Booleans of (blocks of queries, blocks of keys); the last block may reach beyond the end.

    Attributes:
        size: positions of a block.
        some: whether any pair of the two counts.
        all: whether every pair does.
    """

    size: int
    some: Array
    all: Array


def sliding_window_blocks(c: Config, size: int) -> Blocks:
    first, last = _ends(c.seq, size)
    lowest, highest = first[:, None] - last, last[:, None] - first  # of i - j
    ahead = 0 if c.causal else c.window
    some = (lowest <= c.window) & (highest >= -ahead)
    return Blocks(size, some, (highest <= c.window) & (lowest >= -ahead) & _whole(c.seq, size))


def sliding_window_scores(c: Config) -> int:
    """Of a head."""
    reach = min(c.window, c.seq - 1)
    one_side = c.seq * reach - reach * (reach + 1) // 2
    return int(c.seq + one_side * (1 if c.causal else 2))


def block_sparse_blocks(c: Config) -> Blocks:
    """The blocks are the layer's own."""
    count = -(-c.seq // c.block)
    some = np.zeros((count, count), dtype=bool)
    for row, chosen in enumerate(block_sparse_rows(count, c.blocks, c.causal)):
        some[row, chosen] = True
    every = some & _whole(c.seq, c.block)
    return Blocks(c.block, some, every & ~np.eye(count, dtype=bool) if c.causal else every)


def block_sparse_scores(c: Config) -> int:
    """Of a head."""
    first, last = _ends(c.seq, c.block)
    lengths = last - first + 1
    pairs = int(lengths @ block_sparse_blocks(c).some @ lengths)
    ahead = int((lengths * (lengths - 1) // 2).sum()) if c.causal else 0
    return pairs - ahead


def document_lengths(c: Config) -> Array:
    """Tokens of each document: from 1 to twice the mean, the last one cut off at the end."""
    rng = np.random.default_rng(SEED)
    ends = np.cumsum(rng.integers(1, 2 * c.mean_length, size=c.seq))
    ends = np.append(ends[ends < c.seq], c.seq)
    return np.diff(ends, prepend=0)


def document_of(c: Config) -> Array:
    """The number of each token's document."""
    lengths = document_lengths(c)
    return np.repeat(np.arange(len(lengths)), lengths)


def documents(c: Config) -> Array:
    """The document of j is that of i."""
    of = document_of(c)
    return seen(of[:, None] == of, c)


def document_blocks(c: Config, size: int) -> Blocks:
    first, last = _ends(c.seq, size)
    of = document_of(c)
    low, high = of[first], of[last]
    some = (low[:, None] <= high) & (low <= high[:, None])
    every = some & ((low == high)[:, None] & (low == high)) & _whole(c.seq, size)
    if c.causal:
        some &= first <= last[:, None]
        every &= last <= first[:, None]
    return Blocks(size, some, every)


def document_scores(c: Config) -> int:
    """Of a head."""
    squares = int((document_lengths(c) ** 2).sum())
    return (squares + c.seq) // 2 if c.causal else squares


def _ends(seq: int, size: int) -> tuple[Array, Array]:
    """First and last position of each block."""
    first = np.arange(0, seq, size)
    return first, np.minimum(first + size, seq) - 1


def _whole(seq: int, size: int) -> Array:
    """Whether neither of two blocks reaches beyond the end."""
    whole = np.arange(size, seq + size, size) <= seq
    both: Array = whole[:, None] & whole
    return both
