"""Recurrent layers: one layer, one direction, from a zero state, returning every h_t.

Gates are stacked along the last axis of each kernel and bias, in torch's order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, glorot, normal
from harness.types import Value

PRESETS: Mapping[str, Mapping[str, Value]] = {
    "textbook": {"input_size": 32, "hidden_size": 64},
    # The medium word-level language model of Zaremba et al. (2014), arXiv:1409.2329.
    "language_model": {"input_size": 650, "hidden_size": 650},
}


def _inputs(c: Config) -> Mapping[str, Tensor]:
    return {"x": normal(c.batch, c.seq, c.input_size)}


def _output(c: Config) -> tuple[int, ...]:
    return (c.batch, c.seq, c.hidden_size)


def _weights(gates: int) -> Callable[[Config], dict[str, Tensor]]:
    return lambda c: {
        "kernel": glorot(c.input_size, gates * c.hidden_size),
        "recurrent_kernel": glorot(c.hidden_size, gates * c.hidden_size),
        "bias": normal(gates * c.hidden_size, std=0.1),
    }


def _flops(gates: int, elementwise: int) -> Callable[[Config], int]:
    """Two products a gate, and so many elementwise operations a hidden unit, at each step."""
    return lambda c: (
        c.batch * c.seq * c.hidden_size * (2 * gates * (c.input_size + c.hidden_size) + elementwise)
    )


def _unroll(cell: Callable[..., tuple[Array, ...]], inputs: Arrays, *state: Array) -> Array:
    """Every h_t, where ``cell(x_t, *state)`` gives the next state and h_t is its first part."""
    outputs = []
    for x in np.moveaxis(inputs["x"], 1, 0):
        state = cell(x, *state)
        outputs.append(state[0])
    return np.stack(outputs, axis=1)


def _zeros(c: Config) -> Array:
    return np.zeros((c.batch, c.hidden_size))


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _simple_rnn(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    def cell(x: Array, h: Array) -> tuple[Array]:
        return (np.tanh(x @ weights["kernel"] + h @ weights["recurrent_kernel"] + weights["bias"]),)

    return _unroll(cell, inputs, _zeros(c))


def _lstm(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    def cell(x: Array, h: Array, memory: Array) -> tuple[Array, Array]:
        gates = x @ weights["kernel"] + h @ weights["recurrent_kernel"] + weights["bias"]
        i, f, g, o = np.split(gates, 4, axis=-1)
        memory = _sigmoid(f) * memory + _sigmoid(i) * np.tanh(g)
        return _sigmoid(o) * np.tanh(memory), memory

    return _unroll(cell, inputs, _zeros(c), _zeros(c))


def _gru(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    def cell(x: Array, h: Array) -> tuple[Array]:
        from_x = np.split(x @ weights["kernel"] + weights["bias"], 3, axis=-1)
        from_h = np.split(h @ weights["recurrent_kernel"] + weights["recurrent_bias"], 3, axis=-1)
        r = _sigmoid(from_x[0] + from_h[0])
        z = _sigmoid(from_x[1] + from_h[1])
        n = np.tanh(from_x[2] + r * from_h[2])
        return ((1 - z) * n + z * h,)

    return _unroll(cell, inputs, _zeros(c))


def _torch(layer: str) -> Callable[[Config], Any]:
    def build(c: Config) -> Any:
        from torch import nn

        return getattr(nn, layer)(c.input_size, c.hidden_size, batch_first=True)

    return build


def _keras(layer: str, **options: Any) -> Callable[[Config], Any]:
    def build(c: Config) -> Any:
        import keras

        # The initializer, whose values are replaced, only has to exist for every dtype: the
        # default is a QR decomposition, which TensorFlow does not have for bfloat16.
        return getattr(keras.layers, layer)(
            c.hidden_size, return_sequences=True, recurrent_initializer="zeros", **options
        )

    return build


def _torch_weights(weights: Arrays, _c: Config) -> Arrays:
    """Torch adds two biases; where the formula has one, the second is zero."""
    bias = weights["bias"]
    return {
        "weight_ih_l0": weights["kernel"].T,
        "weight_hh_l0": weights["recurrent_kernel"].T,
        "bias_ih_l0": bias,
        "bias_hh_l0": weights.get("recurrent_bias", np.zeros_like(bias)),
    }


def _keras_gru_weights(weights: Arrays, _c: Config) -> Arrays:
    """Keras stacks z before r, and both biases in one array."""

    def z_first(stacked: Array) -> Array:
        r, z, n = np.split(stacked, 3, axis=-1)
        return np.concatenate((z, r, n), axis=-1)

    return {
        "kernel": z_first(weights["kernel"]),
        "recurrent_kernel": z_first(weights["recurrent_kernel"]),
        "bias": np.stack((z_first(weights["bias"]), z_first(weights["recurrent_bias"]))),
    }


def _torch_builder(layer: str) -> Builder:
    return Builder(_torch(layer), weights=_torch_weights, call=lambda module, c, x: module(x)[0])


SIMPLE_RNN = Layer(
    name="simple_rnn",
    family="recurrent",
    formula="h_t = tanh(W_x x_t + W_h h_(t-1) + b)",
    presets=PRESETS,
    inputs=_inputs,
    weights=_weights(gates=1),
    output=_output,
    reference=_simple_rnn,
    flops=_flops(gates=1, elementwise=1),
    builders={"torch": _torch_builder("RNN"), "keras": Builder(_keras("SimpleRNN"))},
    has_seq=True,
    source="Elman (1990), doi:10.1207/s15516709cog1402_1",
)

LSTM = Layer(
    name="lstm",
    family="recurrent",
    formula="i, f, o = sigmoid(W x_t + U h_(t-1) + b) each, g = tanh(W x_t + U h_(t-1) + b), "
    "c_t = f c_(t-1) + i g, h_t = o tanh(c_t)",
    presets=PRESETS,
    inputs=_inputs,
    weights=_weights(gates=4),  # i, f, g, o: torch and Keras agree
    output=_output,
    reference=_lstm,
    flops=_flops(gates=4, elementwise=9),
    builders={"torch": _torch_builder("LSTM"), "keras": Builder(_keras("LSTM"))},
    has_seq=True,
    source="Gers et al. (2000), doi:10.1162/089976600300015015",
)

GRU = Layer(
    name="gru",
    family="recurrent",
    formula="r, z = sigmoid(W x_t + b + U h_(t-1) + d) each, "
    "n = tanh(W x_t + b + r (U h_(t-1) + d)), h_t = (1 - z) n + z h_(t-1)",
    presets=PRESETS,
    inputs=_inputs,
    weights=lambda c: {
        **_weights(gates=3)(c),  # r, z, n
        "recurrent_bias": normal(3 * c.hidden_size, std=0.1),
    },
    output=_output,
    reference=_gru,
    flops=_flops(gates=3, elementwise=9),
    builders={
        "torch": _torch_builder("GRU"),
        # reset_after is torch's form: r scales the product with U, not h before it.
        "keras": Builder(_keras("GRU", reset_after=True), weights=_keras_gru_weights),
    },
    has_seq=True,
    source="Cho et al. (2014), arXiv:1406.1078v1, with the reset gate after the product",
)
