"""FlexAttention: torch's kernel that is compiled for a pattern, and skips the blocks outside of it.

The kernel is compiled in eager execution too: called as it stands, FlexAttention writes out all
scores and masks them. The lists of blocks are made from the pattern's definition, as trying out
the mask on all pairs takes seconds and gigabytes where the sequence is long. On the CPU the kernel
has no backward pass; Keras has no such kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from harness.checks import Allowed
from harness.layer import Array, Arrays, Builder, Config, Layer
from harness.types import Value
from suites.attention.formula import (
    CHECK_LENGTH,
    attend,
    heads_apart,
    queries_keys_values,
    score_flops,
    score_products,
)
from suites.sparse_attention.flex_patterns import (
    Blocks,
    block_sparse_blocks,
    block_sparse_scores,
    document_blocks,
    document_of,
    document_scores,
    documents,
    sliding_window_blocks,
    sliding_window_scores,
)
from suites.sparse_attention.patterns import block_sparse, sliding_window

BLOCK = 128
"""Positions of a block where the pattern has none of its own; FlexAttention's default."""


def _flex(
    blocks: Callable[[Config], Blocks], pairs: Callable[[Config, Any], Callable[..., Any]]
) -> Callable[[Config], Any]:
    """A builder.

    Args:
        blocks: which blocks are computed.
        pairs: (config, device) -> FlexAttention's ``mask_mod``, which tells of each pair in the
            blocks of which some count.
    """

    def build(c: Config) -> Any:
        import torch
        from torch.nn.attention.flex_attention import BlockMask, flex_attention

        listed = blocks(c)
        # After eight shapes torch would give up and run it uncompiled: each case compiles anew.
        torch.compiler.reset()
        kernel = torch.compile(flex_attention, dynamic=False, fullgraph=True)

        def mask_on(device: Any) -> Any:
            partial = _lists(listed.some & ~listed.all)
            full = _lists(listed.all)
            return BlockMask.from_kv_blocks(
                *(torch.from_numpy(array).to(device)[None, None] for array in (*partial, *full)),
                BLOCK_SIZE=listed.size,
                mask_mod=pairs(c, device),
                seq_lengths=(c.seq, c.seq),
                compute_q_blocks=c.training,
            )

        masks = {"cpu": mask_on("cpu")}

        def attend_to_pattern(query: Any, key: Any, value: Any) -> Any:
            device = query.device.type
            if device == "cpu" and query.requires_grad:
                raise NotImplementedError("FlexAttention has no backward pass on the CPU")
            if device == "meta":  # where work is counted
                raise NotImplementedError("FlexAttention has no kernel whose work can be counted")
            if device not in masks:
                masks[device] = mask_on(query.device)
            return kernel(query, key, value, block_mask=masks[device])

        return attend_to_pattern

    return build


def _lists(table: Array) -> tuple[Array, Array]:
    """Of each row how many are true, and which: those first, the others after them."""
    order = np.argsort(~table, axis=-1, kind="stable")
    return table.sum(axis=-1, dtype=np.int32), order.astype(np.int32)


def _layer(
    name: str,
    formula: str,
    presets: dict[str, dict[str, Value]],
    pattern: Callable[[Config], Array],
    scores: Callable[[Config], int],
    build: Callable[[Config], Any],
    complexity: str,
    may_be_0: Sequence[str] = (),
) -> Layer:
    def reference(inputs: Arrays, weights: Arrays, c: Config) -> Array:
        return attend(**inputs, pattern=pattern(c))

    def all_scores(c: Config) -> int:
        return int(c.batch * c.heads * scores(c))

    return Layer(
        name=name,
        family="sparse_attention",
        formula=f"y = softmax(Q K^T / sqrt(d_k)) V over the keys with {formula}",
        presets=presets,
        allowed=dict.fromkeys(may_be_0, Allowed(least=0)),
        inputs=queries_keys_values,
        output=heads_apart,
        reference=reference,
        flops=lambda c: score_flops(c, all_scores(c)),
        products=lambda c: score_products(c, all_scores(c)),
        builders={"torch": Builder(build)},
        lacking={"keras": "Keras has no kernel that is compiled for a pattern"},
        has_seq=True,
        check_length=CHECK_LENGTH,
        pattern=pattern,
        density=lambda c: scores(c) / c.seq**2,
        complexity=complexity,
        source="Dong et al. (2024), arXiv:2412.05496",
    )


def _window_pairs(c: Config, _device: Any) -> Callable[..., Any]:
    def near(_batch: Any, _head: Any, query: Any, key: Any) -> Any:
        within = (query - key).abs() <= c.window
        return within & (key <= query) if c.causal else within

    return near


def _block_pairs(c: Config, device: Any) -> Callable[..., Any]:
    import torch

    table = torch.from_numpy(block_sparse_blocks(c).some).to(device)

    def drawn(_batch: Any, _head: Any, query: Any, key: Any) -> Any:
        among = table[query // c.block, key // c.block]
        return among & (key <= query) if c.causal else among

    return drawn


def _document_pairs(c: Config, device: Any) -> Callable[..., Any]:
    import torch

    document = torch.from_numpy(document_of(c)).to(device)

    def together(_batch: Any, _head: Any, query: Any, key: Any) -> Any:
        same = document[query] == document[key]
        return same & (key <= query) if c.causal else same

    return together


SMALL: dict[str, Value] = {"heads": 2, "head_dim": 16, "causal": False}
LARGE: dict[str, Value] = {"heads": 8, "head_dim": 64, "causal": False}

FLEX_WINDOW_ATTENTION = _layer(
    "flex_window_attention",
    "|i - j| <= window",
    {"textbook": {**SMALL, "window": 8}, "bert_like": {**LARGE, "window": 256}},
    sliding_window,
    sliding_window_scores,
    _flex(lambda c: sliding_window_blocks(c, BLOCK), _window_pairs),
    complexity="O(seq · window · heads · head_dim)",
    may_be_0=("window",),
)

FLEX_BLOCK_SPARSE_ATTENTION = _layer(
    "flex_block_sparse_attention",
    "a block that is drawn for the query's block",
    {
        "textbook": {**SMALL, "block": 16, "blocks": 3},
        "bert_like": {**LARGE, "block": 64, "blocks": 8},
    },
    block_sparse,
    block_sparse_scores,
    _flex(block_sparse_blocks, _block_pairs),
    complexity="O(seq · block · blocks · heads · head_dim)",
)

FLEX_DOCUMENT_ATTENTION = _layer(
    "flex_document_attention",
    "the same document",
    {"textbook": {**SMALL, "mean_length": 16}, "bert_like": {**LARGE, "mean_length": 512}},
    documents,
    document_scores,
    _flex(lambda c: document_blocks(c, BLOCK), _document_pairs),
    complexity="O(seq · mean_length · heads · head_dim)",
)
