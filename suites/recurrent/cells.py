"""One step of a recurrent layer, as a layer of its own: x_t and the state give h_t."""

from __future__ import annotations

from typing import Any

from harness.layer import Array, Arrays, Builder, Config, Layer, normal
from suites.recurrent.kinds import KINDS, Kind


def _declare(kind: Kind) -> Layer:
    def reference(inputs: Arrays, weights: Arrays, c: Config) -> Array:
        x, *state = inputs.values()
        return kind.step(x, tuple(state), weights)[0]

    def products(c: Config) -> int:
        return int(c.batch) * kind.products(c.input_size, c.hidden_size)

    def torch_build(c: Config) -> Any:
        from torch import nn

        return getattr(nn, f"{kind.torch}Cell")(c.input_size, c.hidden_size)

    def torch_call(module: Any, _c: Config, x: Any, *state: Any) -> Any:
        """Of several states torch takes and gives a tuple."""
        return module(x, state)[0] if len(state) > 1 else module(x, *state)

    return Layer(
        name=f"{kind.name}_cell",
        family="recurrent",
        formula=f"{kind.formula}; one step",
        presets={
            "textbook": {"input_size": 32, "hidden_size": 64},
            # The medium word-level language model of Zaremba et al. (2014), arXiv:1409.2329.
            "language_model": {"input_size": 650, "hidden_size": 650},
        },
        inputs=lambda c: {
            "x": normal(c.batch, c.input_size),
            **{state: normal(c.batch, c.hidden_size) for state in kind.states},
        },
        weights=lambda c: kind.weights(c.input_size, c.hidden_size),
        output=lambda c: (c.batch, c.hidden_size),
        reference=reference,
        flops=lambda c: products(c) + kind.elementwise * int(c.batch * c.hidden_size),
        products=products,
        builders={
            "torch": Builder(
                torch_build,
                weights=lambda weights, c: kind.torch_weights(weights),
                call=torch_call,
                covers=(f"torch.nn.{kind.torch}Cell",),
            ),
            "keras": Builder(
                lambda c: kind.keras_make("Cell", c.hidden_size),
                weights=lambda weights, c: kind.keras_weights(weights),
                call=lambda module, c, x, *state: module(x, list(state))[0],
                covers=(f"keras.layers.{kind.keras}Cell",),
            ),
        },
        source=kind.source,
    )


CELLS = tuple(map(_declare, KINDS))
