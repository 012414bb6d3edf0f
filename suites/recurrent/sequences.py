"""Recurrent layers over sequences, from a zero state, returning every h_t.

One layer in one direction, one in both, and several on top of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from harness.checks import Allowed
from harness.layer import Array, Arrays, Builder, Config, Layer, normal
from harness.types import Value
from suites._lacking import NO_TORCH
from suites.recurrent.kinds import GRU_KIND, KINDS, LSTM_KIND, SIMPLE_RNN_KIND, Kind

TEXTBOOK = {"input_size": 32, "hidden_size": 64}


@dataclass(frozen=True)
class Part:
    """One layer in one direction, of which a recurrent layer is put together.

    Attributes:
        inputs: features of its x_t.
        prefix: of its canonical weights.
        torch: suffix of its weights in torch.
        keras: prefix in Keras.
    """

    inputs: int
    prefix: str = ""
    torch: str = "_l0"
    keras: str = ""

    def of(self, weights: Arrays) -> dict[str, Array]:
        """Its own, without the prefix."""
        start = len(self.prefix)
        return {k[start:]: v for k, v in weights.items() if k.startswith(self.prefix)}


@dataclass(frozen=True)
class Form:
    """How a layer is put together.

    Attributes:
        name: of the layer, with ``{}`` for that of the kind.
        parts: (kind, config) -> its parts.
        formula: what becomes of the h_t, after the formula of a step.
        reference: (kind, x, weights of each part) -> output.
        presets: see `Layer`.
        width: features of the output, in units of the hidden size.
        torch: config -> options of torch's class; None where torch has none.
        keras: (kind, config) -> the module.
        covers: names of keras.layers that are timed, with ``{}`` for that of the kind.
        allowed: see `Layer`.
    """

    name: str
    parts: Callable[[Kind, Config], Sequence[Part]]
    formula: str
    reference: Callable[[Kind, Array, Sequence[Arrays]], Array]
    presets: Mapping[str, Mapping[str, Value]]
    width: int
    torch: Callable[[Config], Mapping[str, Any]] | None
    keras: Callable[[Kind, Config], Any]
    covers: tuple[str, ...]
    allowed: Mapping[str, Allowed]


def _in_turn(kind: Kind, x: Array, weights: Sequence[Arrays]) -> Array:
    """Each layer reads the h_t of the one before."""
    return reduce(kind.unroll, weights, x)


def _both_ways(kind: Kind, x: Array, weights: Sequence[Arrays]) -> Array:
    forward, backward = weights
    reverse = kind.unroll(x[:, ::-1], backward)[:, ::-1]
    return np.concatenate((kind.unroll(x, forward), reverse), axis=-1)


def _on_top(kind: Kind, c: Config) -> list[Part]:
    sizes = (c.input_size, *(c.hidden_size,) * (c.layers - 1))
    cell = f"{kind.name}_cell"
    return [Part(size, f"layer{k}_", f"_l{k}", f"layer{k}/{cell}/") for k, size in enumerate(sizes)]


def _keras_sequences(kind: Kind, c: Config, **options: Any) -> Any:
    return kind.keras_make("", c.hidden_size, return_sequences=True, **options)


def _keras_both_ways(kind: Kind, c: Config) -> Any:
    import keras

    return keras.layers.Bidirectional(_keras_sequences(kind, c, name="way"))


def _keras_stack(kind: Kind, c: Config) -> Any:
    import keras

    class Stack(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            names = (f"layer{layer}" for layer in range(c.layers))
            self.layers = [_keras_sequences(kind, c, name=name) for name in names]

        def call(self, x: Any) -> Any:
            return reduce(lambda states, layer: layer(states), self.layers, x)

    return Stack()


SINGLE = Form(
    name="{}",
    parts=lambda kind, c: [Part(c.input_size)],
    formula="",
    reference=_in_turn,
    presets={
        "textbook": TEXTBOOK,
        # The medium word-level language model of Zaremba et al. (2014), arXiv:1409.2329.
        "language_model": {"input_size": 650, "hidden_size": 650},
    },
    width=1,
    torch=lambda c: {},
    keras=_keras_sequences,
    covers=("{}",),
    allowed={},
)
BOTH_WAYS = Form(
    name="bidirectional_{}",
    parts=lambda kind, c: [
        Part(c.input_size, "forward_", "_l0", f"forward_way/{kind.name}_cell/"),
        Part(c.input_size, "backward_", "_l0_reverse", f"backward_way/{kind.name}_cell/"),
    ],
    formula="; from the first x_t to the last and back, each with weights of its own, side by side",
    reference=_both_ways,
    presets={
        "textbook": TEXTBOOK,
        # The tagger of Lample et al. (2016), arXiv:1603.01360: words and their spelling.
        "lstm_crf": {"input_size": 150, "hidden_size": 100},
    },
    width=2,
    torch=lambda c: {"bidirectional": True},
    keras=_keras_both_ways,
    covers=("Bidirectional",),
    allowed={},
)
ON_TOP = Form(
    name="stacked_{}",
    parts=_on_top,
    formula="; several layers, each with the h_t of the one before as its x_t",
    reference=_in_turn,
    presets={
        "textbook": {**TEXTBOOK, "layers": 2},
        # The small word-level language model of Zaremba et al. (2014), arXiv:1409.2329.
        "small_language_model": {"input_size": 200, "hidden_size": 200, "layers": 2},
    },
    width=1,
    torch=lambda c: {"num_layers": c.layers},
    keras=_keras_stack,
    covers=("{}",),
    allowed={"layers": Allowed(least=2)},
)


def declare(kind: Kind, form: Form) -> Layer:
    """The layer of this kind in that form."""

    def weights_of(c: Config) -> dict[str, Any]:
        return {
            part.prefix + name: tensor
            for part in form.parts(kind, c)
            for name, tensor in kind.weights(part.inputs, c.hidden_size).items()
        }

    def reference(inputs: Arrays, weights: Arrays, c: Config) -> Array:
        return form.reference(kind, inputs["x"], [part.of(weights) for part in form.parts(kind, c)])

    def products(c: Config) -> int:
        steps = int(c.batch * c.seq)
        return steps * sum(
            kind.products(part.inputs, c.hidden_size) for part in form.parts(kind, c)
        )

    def flops(c: Config) -> int:
        states = int(c.batch * c.seq * c.hidden_size) * len(form.parts(kind, c))
        return products(c) + kind.elementwise * states

    def first_states(c: Config) -> int:
        """Of the gradients of the zero states through the recurrent kernels; nobody wants them."""
        return 2 * kind.gates * int(c.batch) * int(c.hidden_size) ** 2 * len(form.parts(kind, c))

    def torch_weights(weights: Arrays, c: Config) -> Arrays:
        return {
            name + part.torch: values
            for part in form.parts(kind, c)
            for name, values in kind.torch_weights(part.of(weights)).items()
        }

    def keras_weights(weights: Arrays, c: Config) -> Arrays:
        return {
            part.keras + name: values
            for part in form.parts(kind, c)
            for name, values in kind.keras_weights(part.of(weights)).items()
        }

    builders = {
        "keras": Builder(
            lambda c: form.keras(kind, c),
            weights=keras_weights,
            covers=tuple(f"keras.layers.{name.format(kind.keras)}" for name in form.covers),
        )
    }
    if (options := form.torch) is not None:

        def torch_build(c: Config) -> Any:
            from torch import nn

            sizes = (c.input_size, c.hidden_size)
            return getattr(nn, kind.torch)(*sizes, batch_first=True, **options(c))

        builders["torch"] = Builder(
            torch_build,
            weights=torch_weights,
            call=lambda module, c, x: module(x)[0],
            covers=(f"torch.nn.{kind.torch}",),
        )
    return Layer(
        name=form.name.format(kind.name),
        family="recurrent",
        formula=kind.formula + form.formula,
        presets=form.presets,
        inputs=lambda c: {"x": normal(c.batch, c.seq, c.input_size)},
        weights=weights_of,
        output=lambda c: (c.batch, c.seq, form.width * c.hidden_size),
        reference=reference,
        flops=flops,
        backward_flops=lambda c: 2 * flops(c) - first_states(c),
        products=products,
        builders=builders,
        lacking={} if form.torch else NO_TORCH,
        has_seq=True,
        allowed=form.allowed,
        source=kind.source,
    )


SIMPLE_RNN, LSTM, GRU = (declare(kind, SINGLE) for kind in (SIMPLE_RNN_KIND, LSTM_KIND, GRU_KIND))
BIDIRECTIONAL = tuple(declare(kind, BOTH_WAYS) for kind in KINDS)
STACKED = tuple(declare(kind, ON_TOP) for kind in KINDS)
