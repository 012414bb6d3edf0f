"""The library's blocks, declared for layerbench."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, glorot, normal


def _linear(x: Array, weights: Arrays, name: str) -> Array:
    return np.asarray(x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"])


def _tensors(name: str, size_in: int, size_out: int) -> dict[str, Tensor]:
    return {
        f"{name}.weight": glorot(size_out, size_in),
        f"{name}.bias": normal(size_out, std=0.1),
    }


def _attention(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    split = c.batch, c.seq, 3, c.heads, c.dim // c.heads
    qkv = _linear(inputs["x"], weights, "qkv").reshape(split)
    q, k, v = qkv.transpose(2, 0, 3, 1, 4)
    scores = q @ k.swapaxes(-2, -1) / math.sqrt(c.dim // c.heads)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    y = scores / scores.sum(-1, keepdims=True) @ v
    return _linear(y.transpose(0, 2, 1, 3).reshape(c.batch, c.seq, c.dim), weights, "out")


def _gated(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    a, gate = np.split(_linear(inputs["x"], weights, "up"), 2, -1)
    return _linear(a / (1 + np.exp(-gate)), weights, "down")


def _self_attention_module(c: Config) -> Any:
    from small_layers.blocks import SelfAttention

    return SelfAttention(c.dim, c.heads)


def _gated_module(c: Config) -> Any:
    from small_layers.blocks import Gated

    return Gated(c.dim)


def _block(name: str, module: Any, **declared: Any) -> Layer:
    return Layer(
        name=name,
        family="blocks",
        has_seq=True,
        inputs=lambda c: {"x": normal(c.batch, c.seq, c.dim)},
        output=lambda c: (c.batch, c.seq, c.dim),
        builders={"torch": Builder(module, weights=lambda weights, c: weights)},
        **declared,
    )


SELF_ATTENTION = _block(
    "self_attention",
    _self_attention_module,
    formula="softmax(Q Kᵀ / √d) V of projections of x, projected",
    presets={"small": {"dim": 64, "heads": 4}},
    weights=lambda c: {**_tensors("qkv", c.dim, 3 * c.dim), **_tensors("out", c.dim, c.dim)},
    reference=_attention,
    flops=lambda c: 8 * c.batch * c.seq * c.dim**2 + 4 * c.batch * c.seq**2 * c.dim,
)
GATED = _block(
    "gated",
    _gated_module,
    formula="W (a ⊙ σ(g)), where a and g are the halves of V x",
    presets={"small": {"dim": 64}},
    weights=lambda c: {**_tensors("up", c.dim, 4 * c.dim), **_tensors("down", 2 * c.dim, c.dim)},
    reference=_gated,
    flops=lambda c: 12 * c.batch * c.seq * c.dim**2,
)
