"""Dense attention: as a function of Q, K and V, with their three projections, and as the layer
that frameworks ship, which projects its output too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, normal
from harness.types import Value
from suites.attention.formula import attend, score_flops
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

PRESETS: Mapping[str, Mapping[str, Value]] = {
    "textbook": {"heads": 1, "head_dim": 64},
    "bert_base": {"heads": 12, "head_dim": 64},
}


def _attend_flops(c: Config) -> int:
    """Two products, and scale, exp, sum and division of each score."""
    return score_flops(c, c.batch * c.heads * c.seq**2)


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
    reference=lambda inputs, weights, c: attend(**inputs),
    flops=_attend_flops,
    builders={
        "torch": Builder(
            _torch_attention,
            # An axis for heads: torch has fused kernels for four axes only.
            inputs=lambda inputs, c: tuple(array[:, None] for array in inputs.values()),
            output=lambda output, c: output[:, 0],
        ),
        "keras": Builder(_keras_attention, call=_keras_scaled, covers=("keras.layers.Attention",)),
    },
    has_seq=True,
    complexity="O(seq² · heads · head_dim)",
    source="Vaswani et al. (2017), arXiv:1706.03762, section 3.2.1",
)


def _attention_projected(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    """Each head attends to its own slice of the features."""
    projected = (heads_first(project(inputs["x"], weights, name), c) for name in PROJECTIONS)
    return heads_joined(attend(*projected), c)


def _multi_head_attention(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    return project(_attention_projected(inputs, weights, c), weights, "output")


def _projected_flops(projections: int) -> Callable[[Config], int]:
    return lambda c: projections * 2 * c.batch * c.seq * width(c) ** 2 + _attend_flops(c)


def _torch_projected(c: Config) -> Any:
    """Torch ships these projections only with a fourth; here they are its Linear layers."""
    from torch import nn
    from torch.nn.functional import scaled_dot_product_attention

    class ProjectedAttention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name in PROJECTIONS:
                self.add_module(name, nn.Linear(width(c), width(c)))

        def forward(self, x: Any) -> Any:
            split = (c.batch, c.seq, c.heads, c.head_dim)
            heads = (getattr(self, name)(x).view(split).transpose(1, 2) for name in PROJECTIONS)
            return scaled_dot_product_attention(*heads).transpose(1, 2).reshape(sequence(c))

    return ProjectedAttention()


def _keras_projected(c: Config) -> Any:
    """Keras ships these projections only with a fourth; here they are its Dense layers."""
    import keras
    from keras import ops

    class ProjectedAttention(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.projections = [keras.layers.Dense(width(c), name=name) for name in PROJECTIONS]
            self.attention = keras.layers.Attention()

        def call(self, x: Any) -> Any:
            heads = (self._heads_to_batch(projection(x)) for projection in self.projections)
            attended = _keras_scaled(self.attention, c, *heads)
            split = ops.reshape(attended, (c.batch, c.heads, c.seq, c.head_dim))
            return ops.reshape(ops.transpose(split, (0, 2, 1, 3)), sequence(c))

        def _heads_to_batch(self, x: Any) -> Any:
            split = ops.reshape(x, (c.batch, c.seq, c.heads, c.head_dim))
            return ops.reshape(ops.transpose(split, (0, 2, 1, 3)), _split_heads(c))

    return ProjectedAttention()


def _keras_dense_weights(weights: Arrays, _c: Config) -> Arrays:
    kernels = {f"{name}/kernel": weights[f"{name}_kernel"] for name in PROJECTIONS}
    return kernels | {f"{name}/bias": weights[f"{name}_bias"] for name in PROJECTIONS}


ATTENTION_PROJECTED = Layer(
    name="attention_projected",
    family="attention",
    formula="y = softmax(Q K^T / sqrt(d_k)) V a head at a time, with Q = x W_q + b_q, "
    "K = x W_k + b_k, V = x W_v + b_v",
    presets=PRESETS,
    inputs=lambda c: {"x": normal(*sequence(c))},
    weights=lambda c: projection_weights(c, dict.fromkeys(PROJECTIONS, width(c))),
    output=sequence,
    reference=_attention_projected,
    flops=_projected_flops(len(PROJECTIONS)),
    builders={
        "torch": Builder(_torch_projected, weights=linear_weights),
        "keras": Builder(_keras_projected, weights=_keras_dense_weights),
    },
    has_seq=True,
    complexity="O(seq² · heads · head_dim + seq · (heads · head_dim)²)",
    source="Vaswani et al. (2017), arXiv:1706.03762, section 3.2.1",
)


def _torch_multi_head(c: Config) -> Any:
    from torch import nn

    return nn.MultiheadAttention(width(c), c.heads, batch_first=True)


def _torch_stacked_weights(weights: Arrays, _c: Config) -> Arrays:
    return {
        "in_proj_weight": np.concatenate([weights[f"{name}_kernel"].T for name in PROJECTIONS]),
        "in_proj_bias": np.concatenate([weights[f"{name}_bias"] for name in PROJECTIONS]),
        "out_proj.weight": weights["output_kernel"].T,
        "out_proj.bias": weights["output_bias"],
    }


def _keras_multi_head(c: Config) -> Any:
    import keras

    return keras.layers.MultiHeadAttention(c.heads, c.head_dim)


MULTI_HEAD_ATTENTION = Layer(
    name="multi_head_attention",
    family="attention",
    formula="y = A W_o + b_o, with A the result of attention_projected",
    presets=PRESETS,
    inputs=lambda c: {"x": normal(*sequence(c))},
    weights=lambda c: projection_weights(c, dict.fromkeys((*PROJECTIONS, "output"), width(c))),
    output=sequence,
    reference=_multi_head_attention,
    flops=_projected_flops(len(PROJECTIONS) + 1),
    builders={
        "torch": Builder(
            _torch_multi_head,
            weights=_torch_stacked_weights,
            call=lambda module, c, x: module(x, x, x, need_weights=False)[0],
            covers=("torch.nn.MultiheadAttention",),
        ),
        "keras": Builder(
            _keras_multi_head,
            weights=head_weights,
            call=lambda module, c, x: module(query=x, value=x),
            covers=("keras.layers.MultiHeadAttention",),
        ),
    },
    has_seq=True,
    complexity="O(seq² · heads · head_dim + seq · (heads · head_dim)²)",
    source="Vaswani et al. (2017), arXiv:1706.03762, section 3.2.2",
)
