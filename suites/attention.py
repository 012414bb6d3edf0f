"""Dense attention, in its two forms: as a function of Q, K and V, and with its projections.

The second form is the multi-head layer that both frameworks ship, so it also has the projection
of the output; neither framework has a layer with the projections of Q, K and V alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, glorot, normal
from harness.types import Value

PRESETS: Mapping[str, Mapping[str, Value]] = {
    "textbook": {"heads": 1, "head_dim": 64},
    "bert_base": {"heads": 12, "head_dim": 64},
}


def _attend(query: Array, key: Array, value: Array) -> Array:
    """softmax(Q Kᵀ / sqrt(d_k)) V over the last two axes, (..., seq, d_k)."""
    scores = query @ key.swapaxes(-2, -1) / math.sqrt(query.shape[-1])
    weights: Array = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights @ value


def _attend_flops(c: Config) -> int:
    """Two products, and scale, exp, sum and division of each score."""
    scores = c.batch * c.heads * c.seq**2
    return int(scores * (4 * c.head_dim + 4))


def _split_heads(c: Config) -> tuple[int, ...]:
    """Heads do not meet in this form, so they are further rows of the batch.

    That is the layout that keras.layers.Attention documents: it knows three axes, not four.
    """
    return (c.batch * c.heads, c.seq, c.head_dim)


def _torch_attention(_c: Config) -> Any:
    """A function: torch has no module for it."""
    from torch.nn.functional import scaled_dot_product_attention

    return scaled_dot_product_attention


def _keras_attention(_c: Config) -> Any:
    import keras

    return keras.layers.Attention()


def _keras_scaled(module: Any, _c: Config, query: Any, key: Any, value: Any) -> Any:
    """Divides by sqrt(d_k), which keras.layers.Attention leaves out; its order is Q, V, K.

    Its own ``use_scale`` would be a trained weight, which the formula does not have.
    """
    return module([query / math.sqrt(query.shape[-1]), value, key])


ATTENTION = Layer(
    name="attention",
    family="attention",
    formula="y = softmax(Q K^T / sqrt(d_k)) V",
    presets={**PRESETS, "llama_7b": {"heads": 32, "head_dim": 128}},
    inputs=lambda c: {name: normal(*_split_heads(c)) for name in ("query", "key", "value")},
    output=_split_heads,
    reference=lambda inputs, weights, c: _attend(**inputs),
    flops=_attend_flops,
    builders={
        "torch": Builder(
            _torch_attention,
            # An axis for heads: torch has fused kernels for four axes only.
            inputs=lambda inputs: tuple(array[:, None] for array in inputs.values()),
            output=lambda output: output[:, 0],
        ),
        "keras": Builder(_keras_attention, call=_keras_scaled),
    },
    has_seq=True,
    source="Vaswani et al. (2017), arXiv:1706.03762, section 3.2.1",
)


PROJECTIONS = ("query", "key", "value", "output")


def _projection_weights(c: Config) -> dict[str, Tensor]:
    width = c.heads * c.head_dim
    kernels = {f"{name}_kernel": glorot(width, width) for name in PROJECTIONS}
    biases = {f"{name}_bias": normal(width, std=0.1) for name in PROJECTIONS}
    return kernels | biases


def _attention_projected(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    def project(x: Array, name: str) -> Array:
        return x @ weights[f"{name}_kernel"] + weights[f"{name}_bias"]

    def heads_first(x: Array) -> Array:
        return x.reshape(c.batch, c.seq, c.heads, c.head_dim).swapaxes(1, 2)

    x = inputs["x"]
    heads = _attend(*(heads_first(project(x, name)) for name in ("query", "key", "value")))
    return project(heads.swapaxes(1, 2).reshape(x.shape), "output")


def _projected_flops(c: Config) -> int:
    width = c.heads * c.head_dim
    return int(len(PROJECTIONS) * 2 * c.batch * c.seq * width**2) + _attend_flops(c)


def _torch_multi_head(c: Config) -> Any:
    from torch import nn

    return nn.MultiheadAttention(c.heads * c.head_dim, c.heads, batch_first=True)


def _torch_projections(weights: Arrays, _c: Config) -> Arrays:
    stacked = PROJECTIONS[:3]
    return {
        "in_proj_weight": np.concatenate([weights[f"{name}_kernel"].T for name in stacked]),
        "in_proj_bias": np.concatenate([weights[f"{name}_bias"] for name in stacked]),
        "out_proj.weight": weights["output_kernel"].T,
        "out_proj.bias": weights["output_bias"],
    }


def _keras_multi_head(c: Config) -> Any:
    import keras

    return keras.layers.MultiHeadAttention(c.heads, c.head_dim)


def _keras_projections(weights: Arrays, c: Config) -> Arrays:
    width, heads = c.heads * c.head_dim, (c.heads, c.head_dim)
    projections = {}
    for name in PROJECTIONS[:3]:
        projections[f"{name}/kernel"] = weights[f"{name}_kernel"].reshape(width, *heads)
        projections[f"{name}/bias"] = weights[f"{name}_bias"].reshape(heads)
    return projections | {
        "attention_output/kernel": weights["output_kernel"].reshape(*heads, width),
        "attention_output/bias": weights["output_bias"],
    }


ATTENTION_PROJECTED = Layer(
    name="attention_projected",
    family="attention",
    formula="y = concat over heads of softmax(Q K^T / sqrt(d_k)) V, times W_o, plus b_o, "
    "with Q = x W_q + b_q, K = x W_k + b_k, V = x W_v + b_v",
    presets=PRESETS,
    inputs=lambda c: {"x": normal(c.batch, c.seq, c.heads * c.head_dim)},
    weights=_projection_weights,
    output=lambda c: (c.batch, c.seq, c.heads * c.head_dim),
    reference=_attention_projected,
    flops=_projected_flops,
    builders={
        "torch": Builder(
            _torch_multi_head,
            weights=_torch_projections,
            call=lambda module, c, x: module(x, x, x, need_weights=False)[0],
        ),
        "keras": Builder(
            _keras_multi_head,
            weights=_keras_projections,
            call=lambda module, c, x: module(query=x, value=x),
        ),
    },
    has_seq=True,
    source="Vaswani et al. (2017), arXiv:1706.03762, section 3.2.2",
)
