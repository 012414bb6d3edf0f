"""The recurrent cells: what one step computes, and how each framework keeps their weights.

Gates are stacked along the last axis of each kernel and bias, in torch's order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from harness.layer import Array, Arrays, Tensor, glorot, normal

State: TypeAlias = tuple[Array, ...]
"""What goes from step to step, each (batch, hidden); h first."""


@dataclass(frozen=True)
class Kind:
    """A kind of recurrent cell.

    Attributes:
        name: of the layer.
        torch: torch's name of it, to which "Cell" is added for one step.
        keras: likewise.
        gates: products of x_t, and of h_(t-1), in a step.
        elementwise: operations a hidden unit in a step, beside the products.
        states: the names of what goes from step to step.
        step: (x_t, state, weights) -> the next state.
        formula: of a step.
        source: paper that it is from.
        second_bias: whether the product with h_(t-1) has a bias of its own.
        keras_gates: the order of Keras's gates, in torch's numbers.
        keras_options: what makes Keras compute the formula.
    """

    name: str
    torch: str
    keras: str
    gates: int
    elementwise: int
    states: tuple[str, ...]
    step: Callable[[Array, State, Arrays], State]
    formula: str
    source: str
    second_bias: bool = False
    keras_gates: tuple[int, ...] = ()
    keras_options: Mapping[str, Any] = field(default_factory=dict)

    def weights(self, inputs: int, hidden: int) -> dict[str, Tensor]:
        """Of one layer in one direction."""
        drawn = {
            "kernel": glorot(inputs, self.gates * hidden),
            "recurrent_kernel": glorot(hidden, self.gates * hidden),
            "bias": normal(self.gates * hidden, std=0.1),
        }
        if self.second_bias:
            drawn["recurrent_bias"] = normal(self.gates * hidden, std=0.1)
        return drawn

    def products(self, inputs: int, hidden: int) -> int:
        """Operations of the matrix products in a step, of one item."""
        return 2 * self.gates * hidden * (inputs + hidden)

    def unroll(self, x: Array, weights: Arrays) -> Array:
        """Every h_t of (batch, seq, inputs), from a zero state."""
        hidden = weights["recurrent_kernel"].shape[0]
        state: State = (np.zeros((len(x), hidden)),) * len(self.states)
        outputs = []
        for step in np.moveaxis(x, 1, 0):
            state = self.step(step, state, weights)
            outputs.append(state[0])
        return np.stack(outputs, axis=1)

    def torch_weights(self, weights: Arrays) -> dict[str, Array]:
        """Torch adds two biases; where the formula has one, the second is zero."""
        bias = weights["bias"]
        return {
            "weight_ih": weights["kernel"].T,
            "weight_hh": weights["recurrent_kernel"].T,
            "bias_ih": bias,
            "bias_hh": weights.get("recurrent_bias", np.zeros_like(bias)),
        }

    def keras_weights(self, weights: Arrays) -> dict[str, Array]:
        """Keras keeps both biases in one array."""
        ordered = {name: self._in_keras_order(values) for name, values in weights.items()}
        if self.second_bias:
            ordered["bias"] = np.stack((ordered["bias"], ordered.pop("recurrent_bias")))
        return ordered

    def _in_keras_order(self, stacked: Array) -> Array:
        if not self.keras_gates:
            return stacked
        gates = np.split(stacked, self.gates, axis=-1)
        return np.concatenate([gates[gate] for gate in self.keras_gates], axis=-1)

    def keras_make(self, kind: str, hidden: int, **options: Any) -> Any:
        """A layer of keras.layers: ``kind`` is added to its name, such as "Cell"."""
        import keras

        # The initializer, whose values are replaced, only has to exist for every dtype: the
        # default is a QR decomposition, which TensorFlow does not have for bfloat16.
        return getattr(keras.layers, self.keras + kind)(
            hidden, recurrent_initializer="zeros", **self.keras_options, **options
        )


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _simple_rnn(x: Array, state: State, w: Arrays) -> State:
    (h,) = state
    return (np.tanh(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"]),)


def _lstm(x: Array, state: State, w: Arrays) -> State:
    h, memory = state
    gates = x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"]
    i, f, g, o = np.split(gates, 4, axis=-1)
    memory = sigmoid(f) * memory + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(memory), memory


def _gru(x: Array, state: State, w: Arrays) -> State:
    (h,) = state
    from_x = np.split(x @ w["kernel"] + w["bias"], 3, axis=-1)
    from_h = np.split(h @ w["recurrent_kernel"] + w["recurrent_bias"], 3, axis=-1)
    r = sigmoid(from_x[0] + from_h[0])
    z = sigmoid(from_x[1] + from_h[1])
    n = np.tanh(from_x[2] + r * from_h[2])
    return ((1 - z) * n + z * h,)


SIMPLE_RNN_KIND = Kind(
    name="simple_rnn",
    torch="RNN",
    keras="SimpleRNN",
    gates=1,
    elementwise=1,  # tanh
    states=("h",),
    step=_simple_rnn,
    formula="h_t = tanh(W_x x_t + W_h h_(t-1) + b)",
    source="Elman (1990), doi:10.1207/s15516709cog1402_1",
)
LSTM_KIND = Kind(
    name="lstm",
    torch="LSTM",
    keras="LSTM",
    gates=4,  # i, f, g, o: torch and Keras agree
    elementwise=9,  # 3 sigmoid, 2 tanh, 3 products, 1 sum
    states=("h", "memory"),
    step=_lstm,
    formula="i, f, o = sigmoid(W x_t + U h_(t-1) + b) each, g = tanh(W x_t + U h_(t-1) + b), "
    "c_t = f c_(t-1) + i g, h_t = o tanh(c_t)",
    source="Gers et al. (2000), doi:10.1162/089976600300015015",
)
GRU_KIND = Kind(
    name="gru",
    torch="GRU",
    keras="GRU",
    gates=3,  # r, z, n
    elementwise=9,  # 2 sigmoid, 1 tanh, 3 products, 2 sums, 1 - z
    states=("h",),
    step=_gru,
    formula="r, z = sigmoid(W x_t + b + U h_(t-1) + d) each, "
    "n = tanh(W x_t + b + r (U h_(t-1) + d)), h_t = (1 - z) n + z h_(t-1)",
    source="Cho et al. (2014), arXiv:1406.1078v1, with the reset gate after the product",
    second_bias=True,
    keras_gates=(1, 0, 2),  # z before r
    # reset_after is torch's form: r scales the product with U, not h before it.
    keras_options={"reset_after": True},
)
KINDS = (SIMPLE_RNN_KIND, LSTM_KIND, GRU_KIND)
