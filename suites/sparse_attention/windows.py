"""Keys near the query: all of them, some of them, or with a few more from everywhere."""

from __future__ import annotations

from typing import Any

from harness.layer import Builder, Config
from suites.sparse_attention import patterns
from suites.sparse_attention.declaration import planned_layer, sparse_layer
from suites.sparse_attention.plans import Plan, plan_scores, window_plan
from suites.sparse_attention.residues import grid_scores, residue_classes

SMALL = {"heads": 2, "head_dim": 16}
LARGE = {"heads": 8, "head_dim": 64}


def _sliding(c: Config) -> Plan:
    return window_plan(c.seq, c.window, c.causal)


def _longformer(c: Config) -> Plan:
    return window_plan(c.seq, c.window, c.causal, c.globals)


SLIDING_WINDOW_ATTENTION = planned_layer(
    name="sliding_window_attention",
    formula="the keys j with |i - j| <= window",
    presets={
        "textbook": {**SMALL, "causal": False, "window": 8},
        "bert_like": {**LARGE, "causal": False, "window": 256},
    },
    pattern=patterns.sliding_window,
    plan=_sliding,
    complexity="O(seq · window · heads · head_dim)",
    source="Beltagy et al. (2020), arXiv:2004.05150, section 3.1",
    may_be_0=("window",),
)

LONGFORMER_ATTENTION = planned_layer(
    name="longformer_attention",
    formula="the keys j with |i - j| <= window, and the first globals of them; the first globals "
    "queries attend to all",
    presets={
        "textbook": {**SMALL, "causal": False, "window": 8, "globals": 2},
        "bert_like": {**LARGE, "causal": False, "window": 256, "globals": 16},
    },
    pattern=patterns.longformer,
    plan=_longformer,
    complexity="O(seq · (window + globals) · heads · head_dim)",
    source="Beltagy et al. (2020), arXiv:2004.05150, section 3.1",
    may_be_0=("window", "globals"),
)


def _dilated_scores(c: Config) -> int:
    return sum(
        (members.end - members.first)
        * plan_scores(window_plan(members.length, c.window, c.causal), members.length)
        for members in residue_classes(c.seq, c.dilation)
    )


def _torch_dilated(c: Config) -> Any:
    from suites.sparse_attention.residues_torch import dilated_attention

    return dilated_attention(c.seq, c.window, min(c.dilation, c.seq), c.causal)


def _keras_dilated(c: Config) -> Any:
    from suites.sparse_attention.residues_keras import dilated_attention

    return dilated_attention(c.seq, c.window, min(c.dilation, c.seq), c.causal)


DILATED_ATTENTION = sparse_layer(
    name="dilated_attention",
    formula="every dilation-th key on each side, window of them, and the query's own",
    presets={
        "textbook": {**SMALL, "causal": False, "window": 4, "dilation": 2},
        "bert_like": {**LARGE, "causal": False, "window": 128, "dilation": 4},
    },
    pattern=patterns.dilated,
    scores=_dilated_scores,
    builders={"torch": Builder(_torch_dilated), "keras": Builder(_keras_dilated)},
    complexity="O(seq · window · heads · head_dim)",
    source="Beltagy et al. (2020), arXiv:2004.05150, section 3.1",
    may_be_0=("window",),
)


def _torch_strided(c: Config) -> Any:
    from suites.sparse_attention.residues_torch import strided_attention

    return strided_attention(c.seq, min(c.stride, c.seq), c.causal)


def _keras_strided(c: Config) -> Any:
    from suites.sparse_attention.residues_keras import strided_attention

    return strided_attention(c.seq, min(c.stride, c.seq), c.causal)


STRIDED_ATTENTION = sparse_layer(
    name="strided_attention",
    formula="the keys j with |i - j| <= stride, and those a multiple of stride away",
    presets={
        "textbook": {**SMALL, "causal": True, "stride": 8},
        "bert_like": {**LARGE, "causal": True, "stride": 128},
    },
    pattern=patterns.strided,
    scores=lambda c: grid_scores(c.seq, c.stride, c.causal),
    builders={"torch": Builder(_torch_strided), "keras": Builder(_keras_strided)},
    complexity="O(seq · (stride + seq / stride) · heads · head_dim)",
    source="Child et al. (2019), arXiv:1904.10509, strided attention, both parts in one head",
)
