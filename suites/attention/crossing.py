"""Attention to another sequence: a memory, or the cache of what was generated so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, normal
from harness.types import Value
from suites.attention.formula import CHECK_LENGTH, attend, score_flops, score_products


def _torch_fused(c: Config) -> Any:
    from torch.nn.functional import scaled_dot_product_attention

    return scaled_dot_product_attention


def _heads_third(inputs: Arrays, _c: Config) -> tuple[Array, ...]:
    """Inputs as Keras has them: (batch, seq, heads, head_dim)."""
    return tuple(array.swapaxes(1, 2) for array in inputs.values())


def _heads_second(output: Array, _c: Config) -> Array:
    """The way back."""
    return output.swapaxes(1, 2)


def _keras_fused(c: Config) -> Any:
    from keras import ops

    return ops.dot_product_attention


def _declare(
    name: str,
    formula: str,
    presets: Mapping[str, Mapping[str, Value]],
    lengths: Callable[[Config], tuple[int, int]],
    **further: Any,
) -> Layer:
    """`lengths` tells how many queries there are, and how many keys."""

    def shape(c: Config, length: int) -> tuple[int, ...]:
        return (c.batch, c.heads, length, c.head_dim)

    def scores(c: Config) -> int:
        queries, keys = lengths(c)
        return int(c.batch * c.heads * queries * keys)

    def inputs(c: Config) -> dict[str, Tensor]:
        queries, keys = (normal(*shape(c, length)) for length in lengths(c))
        return {"query": queries, "key": keys, "value": keys}

    return Layer(
        name=name,
        family="attention",
        formula=formula,
        presets=presets,
        inputs=inputs,
        output=lambda c: shape(c, lengths(c)[0]),
        reference=lambda inputs, weights, c: attend(**inputs),
        flops=lambda c: score_flops(c, scores(c)),
        products=lambda c: score_products(c, scores(c)),
        builders={
            "torch": Builder(_torch_fused),
            "keras": Builder(_keras_fused, inputs=_heads_third, output=_heads_second),
        },
        has_seq=True,
        source="Vaswani et al. (2017), arXiv:1706.03762, section 3.2.3",
        **further,
    )


CROSS_ATTENTION = _declare(
    "cross_attention",
    "y = softmax(Q K^T / sqrt(d_k)) V, with seq queries and as many keys as memory says",
    {
        "textbook": {"heads": 2, "head_dim": 16, "memory": 24},
        "bert_like": {"heads": 8, "head_dim": 64, "memory": 512},
    },
    lambda c: (c.seq, c.memory),
    complexity="O(seq · memory · heads · head_dim)",
    check_length=CHECK_LENGTH,
)

DECODE_ATTENTION = _declare(
    "decode_attention",
    "y = softmax(q K^T / sqrt(d_k)) V, with the query of one token and a cache of seq keys",
    {
        "textbook": {"heads": 2, "head_dim": 16},
        "bert_like": {"heads": 8, "head_dim": 64},
    },
    lambda c: (1, c.seq),
    complexity="O(seq · heads · head_dim)",
    not_applicable=lambda c: "tokens are generated without gradients" if c.training else "",
)
