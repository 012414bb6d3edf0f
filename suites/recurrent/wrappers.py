"""What Keras wraps around other layers to take a sequence: a loop over cells, and over a layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.layer import Builder, Config, Layer, glorot, normal
from suites.recurrent.kinds import LSTM_KIND, Kind
from suites.recurrent.sequences import ON_TOP, declare


def _keras_cells(kind: Kind, c: Config) -> Any:
    """One loop, in which all layers take a step; that of a stack of layers is a loop each."""
    import keras

    cells = [kind.keras_make("Cell", c.hidden_size, name=f"layer{k}") for k in range(c.layers)]
    return keras.layers.RNN(keras.layers.StackedRNNCells(cells), return_sequences=True)


STACKED_CELLS = declare(
    LSTM_KIND,
    replace(
        ON_TOP,
        name="stacked_{}_cells",
        parts=lambda kind, c: [
            replace(part, keras=part.prefix.replace("_", "/")) for part in ON_TOP.parts(kind, c)
        ],
        torch=None,
        keras=_keras_cells,
        covers=("RNN", "StackedRNNCells"),
    ),
)


def _torch_linear(c: Config) -> Any:
    from torch import nn

    return nn.Linear(c.in_features, c.out_features)


def _keras_time_distributed(c: Config) -> Any:
    import keras

    return keras.layers.TimeDistributed(keras.layers.Dense(c.out_features))


def _products(c: Config) -> int:
    return int(2 * c.batch * c.seq * c.in_features * c.out_features)


TIME_DISTRIBUTED = Layer(
    name="time_distributed",
    family="recurrent",
    formula="y_t = x_t W + b; a dense layer at each step",
    presets={
        "textbook": {"in_features": 32, "out_features": 64},
        # The scores of the 17 tags in Lample et al. (2016), arXiv:1603.01360.
        "lstm_crf_tags": {"in_features": 200, "out_features": 17},
    },
    inputs=lambda c: {"x": normal(c.batch, c.seq, c.in_features)},
    weights=lambda c: {
        "kernel": glorot(c.in_features, c.out_features),
        "bias": normal(c.out_features, std=0.1),
    },
    output=lambda c: (c.batch, c.seq, c.out_features),
    reference=lambda inputs, weights, c: inputs["x"] @ weights["kernel"] + weights["bias"],
    flops=_products,
    products=_products,
    builders={
        # Torch has no such wrapper: its Linear takes a sequence as it is, in one product.
        "torch": Builder(
            _torch_linear,
            weights=lambda weights, c: {
                "weight": weights["kernel"].T,
                "bias": weights["bias"],
            },
        ),
        # Keras calls the layer at each step where the length is known, as it is here.
        "keras": Builder(_keras_time_distributed, covers=("keras.layers.TimeDistributed",)),
    },
    has_seq=True,
    source="https://keras.io/api/layers/recurrent_layers/time_distributed",
)
