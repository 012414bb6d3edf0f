"""A user's suite for the real frameworks: an embedding, and what people get wrong at first."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.layer import Builder, Config, Layer, glorot, integers, normal, uniform

ROWS = 1000


def _torch_embedding(c: Config) -> Any:
    from torch import nn

    return nn.Embedding(ROWS, c.width)


def _keras_embedding(c: Config) -> Any:
    import keras

    return keras.layers.Embedding(ROWS, c.width)


EMBEDDING = Layer(
    name="embedding_of_mine",
    family="embedding",
    formula="y = E[i]",
    presets={"default": {"width": 8}},
    has_seq=True,
    inputs=lambda c: {"indices": integers(c.batch, c.seq, high=ROWS)},
    weights=lambda c: {"table": normal(ROWS, c.width)},
    output=lambda c: (c.batch, c.seq, c.width),
    reference=lambda inputs, weights, c: weights["table"][inputs["indices"]],
    flops=lambda c: 0,
    traffic=lambda c, item: c.batch * c.seq * (8 + 2 * c.width * item),
    builders={
        "torch": Builder(_torch_embedding, weights=lambda w, c: {"weight": w["table"]}),
        "keras": Builder(_keras_embedding, weights=lambda w, c: {"embeddings": w["table"]}),
    },
)


def _torch_rnn(c: Config) -> Any:
    from torch import nn

    return nn.RNN(4, 4, batch_first=True, bias=False)


def _keras_rnn(c: Config) -> Any:
    import keras

    return keras.layers.SimpleRNN(
        4, return_sequences=True, return_state=True, use_bias=False, recurrent_initializer="zeros"
    )


RETURNS_TUPLE = Layer(
    name="returns_tuple",
    family="recurrent",
    formula="h_t = tanh(W x_t + U h_(t-1))",
    presets={"default": {}},
    has_seq=True,
    inputs=lambda c: {"x": normal(c.batch, c.seq, 4)},
    weights=lambda c: {"kernel": glorot(4, 4), "recurrent_kernel": glorot(4, 4)},
    output=lambda c: (c.batch, c.seq, 4),
    reference=lambda inputs, weights, c: inputs["x"],
    flops=lambda c: c.batch * c.seq * 64,
    builders={
        "torch": Builder(
            _torch_rnn,
            weights=lambda w, c: {
                "weight_ih_l0": w["kernel"].T,
                "weight_hh_l0": w["recurrent_kernel"].T,
            },
        ),
        "keras": Builder(_keras_rnn),
    },
)

UNUSED_INPUT = Layer(
    name="unused_input",
    family="test",
    formula="y = 2 x",
    presets={"default": {}},
    inputs=lambda c: {"x": normal(c.batch, 4), "scale": normal(c.batch, 4)},
    output=lambda c: (c.batch, 4),
    reference=lambda inputs, weights, c: 2 * inputs["x"],
    flops=lambda c: c.batch * 4,
    builders={
        "torch": Builder(lambda c: lambda x, scale: 2 * x),
        "keras": Builder(lambda c: lambda x, scale: 2 * x),
    },
)

MASKED = Layer(
    name="masked",
    family="test",
    formula="y = m x",
    presets={"default": {}},
    inputs=lambda c: {
        "x": normal(c.batch, 4),
        "mask": uniform(c.batch, 4, low=0.0, high=1.0, trainable=False),
    },
    output=lambda c: (c.batch, 4),
    reference=lambda inputs, weights, c: inputs["mask"] * inputs["x"],
    flops=lambda c: c.batch * 4,
    builders={
        "torch": Builder(lambda c: lambda x, mask: mask * x),
        "keras": Builder(lambda c: lambda x, mask: mask * x),
    },
)

CUMULATIVE = Layer(
    name="cumulative",
    family="test",
    formula="y = exp(2 cumsum(x))",
    presets={"default": {}},
    inputs=lambda c: {"x": normal(c.batch, 16)},
    output=lambda c: (c.batch, 16),
    reference=lambda inputs, weights, c: np.exp(2 * np.cumsum(inputs["x"], -1)),
    flops=lambda c: c.batch * 48,
    builders={"torch": Builder(lambda c: lambda x: (2 * x.cumsum(-1)).exp())},
)
