"""Selective state space: a recurrence whose step and projections depend on the input (S6).

The convolution, gate and projections of the Mamba block around it are left out.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, glorot, normal, uniform
from suites.attention.formula import CHECK_LENGTH
from suites.linear_attention.precision import keras_wide, torch_wide
from suites.linear_attention.recurrence import keras_recurrence, torch_recurrence

CHUNK = 256
"""Positions whose states, of state x width each, are in memory at once without gradients. Fewer
would be a little faster on a CPU, and take compilers longer, to which each chunk is new code."""
STEPS = (1e-3, 1e-1)
"""Range of the steps that the bias of delta gives alone."""


def _width(c: Config) -> int:
    return int(c.heads * c.head_dim)


def _shape(c: Config) -> tuple[int, ...]:
    return (c.batch, c.seq, _width(c))


def _rank(c: Config) -> int:
    """Of the projection to delta."""
    return math.ceil(_width(c) / 16)


def _weights(c: Config) -> dict[str, Tensor]:
    width, state, rank = _width(c), c.state, _rank(c)
    low, high = np.log(np.expm1(STEPS))  # softplus gives the steps back
    return {
        "delta_down": glorot(width, rank),
        "input_kernel": glorot(width, state),
        "output_kernel": glorot(width, state),
        "delta_up": normal(rank, width, std=rank**-0.5 / 2),
        "delta_bias": uniform(width, low=low, high=high),
        # A is -1 to -state, as in the paper's real initialization, in another order.
        "log_rate": uniform(state, width, low=0.0, high=math.log(state)),
        "skip": normal(width, mean=1.0, std=0.1),
    }


def _reference(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    x = inputs["x"]
    delta = x @ weights["delta_down"] @ weights["delta_up"] + weights["delta_bias"]
    delta = np.logaddexp(0, delta)
    entering, leaving = x @ weights["input_kernel"], x @ weights["output_kernel"]
    decay = np.exp(delta[:, :, None] * -np.exp(weights["log_rate"]))
    update = (delta * x)[:, :, None] * entering[..., None]
    h = np.zeros((c.batch, c.state, _width(c)))
    y = x * weights["skip"]
    for t in range(c.seq):
        h = decay[:, t] * h + update[:, t]
        y[:, t] += (leaving[:, t, None] @ h)[:, 0]
    return y


def _products(c: Config) -> int:
    """Projections to low rank, B and C, that to delta, and C h."""
    width, state, rank = _width(c), c.state, _rank(c)
    return int(2 * c.batch * c.seq * width * (2 * rank + 3 * state))


def _flops(c: Config) -> int:
    """Beside the products: A delta, exp, B (delta x) and the recurrence of each state; softplus,
    delta x and the skip of each feature.
    """
    own = c.batch * c.seq * _width(c) * (5 * c.state + 4)
    return _products(c) + int(own)


def _torch_state_space(c: Config) -> Any:
    import torch
    from torch import nn
    from torch.nn.functional import softplus

    recurrence = torch_recurrence()
    width, state, rank = _width(c), c.state, _rank(c)

    class StateSpace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.projection = nn.Linear(width, rank + 2 * state, bias=False)
            self.delta = nn.Linear(rank, width)
            self.log_rate = nn.Parameter(torch.empty(state, width))
            self.skip = nn.Parameter(torch.empty(width))

        def forward(self, x: Any) -> Any:
            low, entering, leaving = self.projection(x).split((rank, state, state), -1)
            # Decays are multiplied over the sequence: the state is float32, as in the paper's code.
            delta = softplus(torch_wide(self.delta(low)))
            rate = -torch_wide(self.log_rate).exp()
            wide = (delta, delta * x, torch_wide(entering), torch_wide(leaving))
            h, outputs = delta.new_zeros(c.batch, state, width), []
            for step, scaled, b, read in zip(*(y.split(CHUNK, 1) for y in wide), strict=True):
                decay = (step[:, :, None] * rate).exp()
                states = recurrence(decay, scaled[:, :, None] * b[..., None], h)
                outputs.append((read[:, :, None] @ states)[:, :, 0])
                h = states[:, -1]
            return torch.cat(outputs, 1).to(x.dtype) + x * self.skip

    return StateSpace()


def _torch_weights(weights: Arrays, _c: Config) -> Arrays:
    kernels = (weights[name].T for name in ("delta_down", "input_kernel", "output_kernel"))
    return {
        "projection.weight": np.concatenate(tuple(kernels)),
        "delta.weight": weights["delta_up"].T,
        "delta.bias": weights["delta_bias"],
        "log_rate": weights["log_rate"],
        "skip": weights["skip"],
    }


def _keras_state_space(c: Config) -> Any:
    import keras
    from keras import ops

    width, state, rank = _width(c), c.state, _rank(c)
    ends = range(CHUNK, c.seq, CHUNK)

    def split(x: Any) -> Any:
        return ops.split(x, ends, 1) if ends else [x]

    class StateSpace(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.projection = keras.layers.Dense(
                rank + 2 * state, use_bias=False, name="projection"
            )
            self.delta = keras.layers.Dense(width, name="delta")
            self.log_rate = self.add_weight(shape=(state, width), name="log_rate")
            self.skip = self.add_weight(shape=(width,), name="skip")

        def call(self, x: Any) -> Any:
            low, entering, leaving = ops.split(self.projection(x), (rank, rank + state), -1)
            # Decays are multiplied over the sequence: the state is float32, as in the paper's code.
            delta = ops.softplus(keras_wide(self.delta(low)))
            rate = -ops.exp(keras_wide(self.log_rate.value))
            wide = (delta, delta * keras_wide(x), keras_wide(entering), keras_wide(leaving))
            h, outputs = ops.zeros((c.batch, state, width), delta.dtype), []
            for step, scaled, b, read in zip(*map(split, wide), strict=True):
                decay = ops.exp(step[:, :, None] * rate)
                states = keras_recurrence(decay, scaled[:, :, None] * b[..., None], h)
                outputs.append(ops.matmul(read[:, :, None], states)[:, :, 0])
                h = states[:, -1]
            return ops.cast(ops.concatenate(outputs, 1), x.dtype) + x * self.skip

    return StateSpace()


def _keras_weights(weights: Arrays, _c: Config) -> Arrays:
    kernels = (weights[name] for name in ("delta_down", "input_kernel", "output_kernel"))
    return {
        "projection/kernel": np.concatenate(tuple(kernels), axis=-1),
        "delta/kernel": weights["delta_up"],
        "bias": weights["delta_bias"],
        "log_rate": weights["log_rate"],
        "skip": weights["skip"],
    }


SELECTIVE_STATE_SPACE = Layer(
    name="selective_state_space",
    family="linear_attention",
    formula="h_t = exp(delta_t A) h_(t-1) + delta_t B_t x_t, y_t = C_t h_t + D x_t, B_t = W_B x_t, "
    "C_t = W_C x_t, delta_t = softplus(W_up W_down x_t + b), A = -exp(a), a feature at a time",
    presets={
        "textbook": {"heads": 2, "head_dim": 16, "state": 4},
        "bert_like": {"heads": 8, "head_dim": 64, "state": 16},
    },
    inputs=lambda c: {"x": normal(*_shape(c))},
    weights=_weights,
    output=_shape,
    reference=_reference,
    flops=_flops,
    products=_products,
    builders={
        "torch": Builder(_torch_state_space, weights=_torch_weights),
        "keras": Builder(_keras_state_space, weights=_keras_weights),
    },
    has_seq=True,
    check_length=CHECK_LENGTH,
    complexity="O(seq · (state + heads · head_dim / 16) · heads · head_dim)",
    source="Gu and Dao (2023), arXiv:2312.00752, algorithm 2, B by Euler's "
    "rule and delta of low rank as in section 3.6 and the code",
)
