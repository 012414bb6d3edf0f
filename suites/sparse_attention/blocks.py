"""Blocks of queries against blocks of keys."""

from __future__ import annotations

from harness.layer import Config
from suites.sparse_attention import patterns
from suites.sparse_attention.declaration import planned_layer
from suites.sparse_attention.plans import Plan, bigbird_plan, block_sparse_plan

SMALL = {"heads": 2, "head_dim": 16, "causal": False, "block": 8}
LARGE = {"heads": 8, "head_dim": 64, "causal": False, "block": 64}


def _block_sparse(c: Config) -> Plan:
    return block_sparse_plan(c.seq, c.block, c.blocks, c.causal)


def _bigbird(c: Config) -> Plan:
    kinds = (c.global_blocks, c.window_blocks, c.random_blocks)
    return bigbird_plan(c.seq, c.block, *kinds, c.causal)


BLOCK_SPARSE_ATTENTION = planned_layer(
    name="block_sparse_attention",
    formula="the key blocks drawn for the query's block: its own and others at random",
    presets={"textbook": {**SMALL, "blocks": 3}, "bert_like": {**LARGE, "blocks": 8}},
    pattern=patterns.block_sparse,
    plan=_block_sparse,
    complexity="O(seq · block · blocks · heads · head_dim)",
    source="Child et al. (2019), arXiv:1904.10509, block-sparse kernels",
)

BIGBIRD_ATTENTION = planned_layer(
    name="bigbird_attention",
    formula="the first blocks, those around the query's own, and others at random; the first "
    "blocks attend to all",
    presets={
        "textbook": {**SMALL, "global_blocks": 1, "window_blocks": 3, "random_blocks": 1},
        "bert_like": {**LARGE, "global_blocks": 2, "window_blocks": 3, "random_blocks": 3},
    },
    pattern=patterns.bigbird,
    plan=_bigbird,
    complexity="O(seq · block · (global_blocks + window_blocks + random_blocks) · heads · "
    "head_dim)",
    source="Zaheer et al. (2020), arXiv:2007.14062, section 2",
    may_be_0=("global_blocks", "random_blocks"),
)
