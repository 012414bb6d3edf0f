"""What is computed of a pattern: chunks of queries, each against the keys that it needs.

A plan is made from the parameters and the length alone, in NumPy, and takes memory proportional
to the length. Every framework carries out the same plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import TypeAlias

import numpy as np

from harness.layer import Array
from suites.sparse_attention.patterns import bigbird_rows, block_sparse_rows

SMALLEST_CHUNK, LARGEST_CHUNK = 64, 128
"""Queries: fewer make small products, more see keys that most of them do not attend to."""


@dataclass(frozen=True, eq=False)
class Chunks:
    """Consecutive chunks of queries that are computed in one call, each against as many keys.

    Attributes:
        start: first query of the first chunk.
        count: number of chunks.
        size: queries of a chunk.
        first_key: of the first chunk; each further chunk begins ``size`` keys later.
        keys: consecutive keys of a chunk.
        shared: keys from 0 on that every chunk has besides, before the others.
        blocks: in place of ``first_key`` and ``keys``: the blocks of ``size`` keys that each
            chunk has, (count, blocks).
        mask: which of a chunk's keys each query attends to, (count or 1, size or 1, keys); None
            for all of them.
        causal: query and key k of a chunk are the same position, and none attends to a later one.
    """

    start: int
    count: int
    size: int
    first_key: int = 0
    keys: int = 0
    shared: int = 0
    blocks: Array | None = None
    mask: Array | None = None
    causal: bool = False

    @property
    def width(self) -> int:
        """Keys of a chunk in all."""
        own = self.keys if self.blocks is None else self.blocks.shape[1] * self.size
        return self.shared + own

    @property
    def gathered(self) -> bool:
        """Whether keys have to be copied together; a lone window is a view of them."""
        return self.blocks is not None or self.shared > 0

    def positions(self) -> Array:
        """Of each chunk's keys, (count, keys)."""
        if self.blocks is not None:
            inside = np.arange(self.size)
            return (self.blocks[:, :, None] * self.size + inside).reshape(self.count, -1)
        firsts = self.first_key + self.size * np.arange(self.count)
        own = firsts[:, None] + np.arange(self.keys)
        shared = np.broadcast_to(np.arange(self.shared), (self.count, self.shared))
        return np.concatenate([shared, own], axis=1)

    def scores(self, seq: int) -> int:
        """How many are asked for; queries beyond the length ask for none."""
        queries = min(self.count * self.size, seq - self.start)
        if self.causal:
            return queries * (queries + 1) // 2
        if self.mask is None:
            return queries * self.width
        each = np.broadcast_to(self.mask.sum(axis=-1), (self.count, self.size))
        return int(each.ravel()[:queries].sum())


Plan: TypeAlias = tuple[Chunks, ...]
"""Every query once, in order; those of the last chunk may reach beyond the length."""


def plan_scores(plan: Plan, seq: int) -> int:
    """Scores that a head computes for one sequence, those of padding left out."""
    return sum(chunks.scores(seq) for chunks in plan)


def padded(plan: Plan, seq: int) -> int:
    """The length to which queries and keys are filled up; blocks have to be whole."""
    return max([seq] + [-(-seq // c.size) * c.size for c in plan if c.blocks is not None])


def pattern(plan: Plan, seq: int) -> Array:
    """Which keys each query attends to, (queries, keys): n² booleans, to compare and to look at."""
    found = np.zeros((padded(plan, seq), padded(plan, seq)), dtype=bool)
    for chunks in plan:
        positions = chunks.positions()
        shape = (chunks.count, chunks.size, chunks.width)
        mask = np.tri(chunks.size, dtype=bool) if chunks.causal else chunks.mask
        seen = np.broadcast_to(True if mask is None else mask, shape)
        queries = chunks.start + np.arange(chunks.count * chunks.size)
        found[queries.reshape(chunks.count, chunks.size, 1), positions[:, None]] |= seen
    return found[:seq, :seq]


@lru_cache(maxsize=64)
def window_plan(seq: int, window: int, causal: bool, shared: int = 0) -> Plan:
    """Keys within ``window``; the first ``shared`` tokens attend to all and all attend to them.

    The queries in the middle see windows that differ in their place only, so that one small mask
    serves all of them. Those near both ends are one chunk each.
    """
    window, shared = min(window, seq - 1), min(shared, seq)
    size = min(max(window, SMALLEST_CHUNK), LARGEST_CHUNK)
    ahead = 0 if causal else window
    count = max(seq - shared - window - ahead, 0) // size
    first = shared + window if count else seq
    last = first + count * size

    def band(start: int, count: int, size: int, keys: tuple[int, int], beside: int = 0) -> Chunks:
        """Chunks whose first one has the keys from the one up to the other."""
        chunks = Chunks(start, count, size, keys[0], keys[1] - keys[0], beside)
        query, key = start + np.arange(size)[:, None], chunks.positions()[0]
        seen = (abs(query - key) <= window) | (key < shared)
        return _masked(chunks, seen & (key <= query) if causal else seen)

    plan = []
    if shared and not causal:
        plan.append(Chunks(0, 1, shared, 0, seq))
    start = 0 if causal else shared
    if start < first:
        plan.append(band(start, 1, first - start, (0, min(first + ahead, seq))))
    if count:
        plan.append(band(first, count, size, (first - window, first + size + ahead), shared))
    if last < seq:
        plan.append(band(last, 1, seq - last, (last - window, seq), shared))
    return tuple(plan)


def _masked(chunks: Chunks, seen: Array) -> Chunks:
    """With a mask of (size, keys), in the plainest form that says the same."""
    if seen.all():
        return chunks
    if chunks.start == chunks.first_key == 0 and np.array_equal(seen, np.tri(*seen.shape)):
        return replace(chunks, causal=True)
    return replace(chunks, mask=seen[None])


@lru_cache(maxsize=64)
def block_sparse_plan(seq: int, block: int, blocks: int, causal: bool) -> Plan:
    """Each block of queries against the blocks of keys that are drawn for it."""
    rows = block_sparse_rows(-(-seq // block), blocks, causal)
    return _block_plan(seq, block, rows, causal)


@lru_cache(maxsize=64)
def bigbird_plan(
    seq: int, block: int, global_blocks: int, window_blocks: int, random_blocks: int, causal: bool
) -> Plan:
    """Each block of queries against global, neighbouring and random blocks of keys."""
    kinds = (global_blocks, window_blocks, random_blocks)
    rows = bigbird_rows(-(-seq // block), *kinds, causal)
    return _block_plan(seq, block, rows, causal)


def _block_plan(seq: int, block: int, rows: Sequence[Array], causal: bool) -> Plan:
    """Neighbouring rows of as many blocks go together; whoever has all blocks needs no list."""

    def listed(row: int) -> int:
        """How many blocks; 0 for all that there are."""
        everything = row + 1 if causal else len(rows)
        return 0 if len(rows[row]) == everything else len(rows[row])

    plan = []
    for width, group in groupby(range(len(rows)), listed):
        members = list(group)
        start, end = members[0] * block, min((members[-1] + 1) * block, seq)
        if width:
            table = np.stack([rows[row] for row in members])
            plan.append(_listed(start, block, table, seq, causal))
        elif causal:  # those are the first rows
            plan.append(Chunks(0, 1, end, 0, end, causal=True))
        else:
            plan.append(Chunks(start, 1, end - start, 0, seq))
    return tuple(plan)


def _listed(start: int, block: int, table: Array, seq: int, causal: bool) -> Chunks:
    chunks = Chunks(start, len(table), block, blocks=table)
    if causal:  # only a query's own block, the last of its list, reaches ahead
        own = np.tri(block, dtype=bool)
        before = np.ones((block, (table.shape[1] - 1) * block), dtype=bool)
        return replace(chunks, mask=np.concatenate([before, own], axis=1)[None])
    inside = chunks.positions() < seq
    return chunks if inside.all() else replace(chunks, mask=inside[:, None])
