"""Attention whose queries share keys and values, a group of heads at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from harness.checks import Allowed
from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, normal
from harness.types import Value
from suites.attention.formula import CHECK_LENGTH, attend, heads_apart, score_flops, score_products
from suites.attention.masked import all_scores, density, mask, pattern
from suites.attention.plain import keras_attend
from suites.attention.projections import (
    PROJECTIONS,
    head_weights,
    heads_first,
    heads_joined,
    linear_weights,
    project,
    projection_weights,
    sequence,
    width,
)


def _kv_heads(c: Config) -> int:
    """Heads of keys and values: those of multi-query attention are one."""
    return int(c.params.get("kv_heads", 1))


def _shared_heads(c: Config) -> tuple[int, ...]:
    """Shape of keys and of values."""
    return (c.batch, _kv_heads(c), c.seq, c.head_dim)


def _inputs(c: Config) -> dict[str, Tensor]:
    shared = normal(*_shared_heads(c))
    return {"query": normal(*heads_apart(c)), "key": shared, "value": shared}


def _attend(query: Array, key: Array, value: Array, c: Config) -> Array:
    """Head h of the queries goes with head h // (heads / kv_heads) of keys and values."""
    repeat = partial(np.repeat, repeats=c.heads // _kv_heads(c), axis=1)
    return attend(query, repeat(key), repeat(value), pattern(c))


def _torch_grouped(c: Config) -> Any:
    from torch.nn.functional import scaled_dot_product_attention

    return partial(scaled_dot_product_attention, is_causal=c.causal, enable_gqa=True)


def _keras_grouped(c: Config) -> Any:
    """The queries of a group are further rows of its one head: no key has to be repeated."""
    from keras import ops

    group = c.heads // _kv_heads(c)
    kept = mask(c)
    rows = keras_attend(None if kept is None else np.tile(kept, (group, 1)), c.head_dim)
    folded = (c.batch, _kv_heads(c), group * c.seq, c.head_dim)

    def grouped(query: Any, key: Any, value: Any) -> Any:
        return ops.reshape(rows(ops.reshape(query, folded), key, value), heads_apart(c))

    return grouped


def _declare(
    name: str,
    formula: str,
    presets: Mapping[str, Mapping[str, Value]],
    source: str,
    allowed: Mapping[str, Allowed],
) -> Layer:
    return Layer(
        name=name,
        family="attention",
        formula=formula,
        presets=presets,
        inputs=_inputs,
        output=heads_apart,
        reference=lambda inputs, weights, c: _attend(**inputs, c=c),
        flops=lambda c: score_flops(c, all_scores(c)),
        products=lambda c: score_products(c, all_scores(c)),
        builders={"torch": Builder(_torch_grouped), "keras": Builder(_keras_grouped)},
        has_seq=True,
        complexity="O(seq² · heads · head_dim)",
        allowed=allowed,
        check_length=CHECK_LENGTH,
        pattern=pattern,
        density=density,
        source=source,
    )


GROUPED_PRESETS: Mapping[str, Mapping[str, Value]] = {
    "textbook": {"heads": 4, "kv_heads": 2, "head_dim": 16, "causal": False},
    "bert_like": {"heads": 8, "kv_heads": 2, "head_dim": 64, "causal": False},
    "llama3_8b": {"heads": 32, "kv_heads": 8, "head_dim": 128, "causal": True},
}

GROUPS = {"kv_heads": Allowed(divides="heads")}

GROUPED_QUERY_ATTENTION = _declare(
    "grouped_query_attention",
    "y_h = softmax(Q_h K_g^T / sqrt(d_k)) V_g, g = h // (heads / kv_heads), causal or not",
    GROUPED_PRESETS,
    source="Ainslie et al. (2023), arXiv:2305.13245, section 2.2",
    allowed=GROUPS,
)

MULTI_QUERY_ATTENTION = _declare(
    "multi_query_attention",
    "y_h = softmax(Q_h K^T / sqrt(d_k)) V, with one K and V for all heads, causal or not",
    {
        "textbook": {"heads": 2, "head_dim": 16, "causal": False},
        "bert_like": {"heads": 8, "head_dim": 64, "causal": False},
        "gpt_like": {"heads": 8, "head_dim": 64, "causal": True},
    },
    source="Shazeer (2019), arXiv:1911.02150, section 3",
    allowed={},
)


def _widths(c: Config) -> dict[str, int]:
    """Features that each projection gives."""
    shared = _kv_heads(c) * int(c.head_dim)
    return {"query": width(c), "key": shared, "value": shared, "output": width(c)}


def _layer_reference(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    query, key, value = (
        heads_first(project(inputs["x"], weights, name), c) for name in PROJECTIONS
    )
    return project(heads_joined(_attend(query, key, value, c), c), weights, "output")


def _with_projections(count: Callable[[Config, int], int]) -> Callable[[Config], int]:
    """What `count` says of the scores, and the products of the projections."""
    return lambda c: (
        2 * int(c.batch * c.seq) * width(c) * sum(_widths(c).values()) + count(c, all_scores(c))
    )


def _torch_layer(c: Config) -> Any:
    """Torch ships no such layer; here it is four Linear layers around its function."""
    from torch import nn

    function = _torch_grouped(c)

    class GroupedQueryAttention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, out in _widths(c).items():
                self.add_module(name, nn.Linear(width(c), out))

        def forward(self, x: Any) -> Any:
            query, key, value = (
                getattr(self, name)(x).view(c.batch, c.seq, -1, c.head_dim).transpose(1, 2)
                for name in PROJECTIONS
            )
            heads = function(query, key, value)
            return self.output(heads.transpose(1, 2).reshape(sequence(c)))

    return GroupedQueryAttention()


def _keras_layer(c: Config) -> Any:
    import keras

    return keras.layers.GroupQueryAttention(c.head_dim, c.heads, c.kv_heads)


GROUP_QUERY_ATTENTION_LAYER = Layer(
    name="group_query_attention_layer",
    family="attention",
    formula="y = A W_o + b_o, with A the result of grouped_query_attention of Q = x W_q + b_q, "
    "K = x W_k + b_k, V = x W_v + b_v",
    presets=GROUPED_PRESETS,
    inputs=lambda c: {"x": normal(*sequence(c))},
    weights=lambda c: projection_weights(c, _widths(c)),
    output=sequence,
    reference=_layer_reference,
    flops=_with_projections(score_flops),
    products=_with_projections(score_products),
    builders={
        "torch": Builder(_torch_layer, weights=linear_weights),
        "keras": Builder(
            _keras_layer,
            weights=head_weights,
            call=lambda module, c, x: module(query=x, value=x, use_causal_mask=c.causal),
            covers=("keras.layers.GroupQueryAttention",),
        ),
    },
    has_seq=True,
    complexity="O(seq² · heads · head_dim + seq · (heads · head_dim)²)",
    allowed=GROUPS,
    check_length=CHECK_LENGTH,
    pattern=pattern,
    density=density,
    source="Ainslie et al. (2023), arXiv:2305.13245, section 2.2",
)
