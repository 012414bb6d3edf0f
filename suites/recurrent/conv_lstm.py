"""ConvLSTM: an LSTM whose products are convolutions, of one to three axes of space; Keras only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, glorot, normal
from suites import _spatial
from suites._lacking import NO_TORCH
from suites.recurrent.kinds import sigmoid

GATES = 4  # i, f, g, o
ELEMENTWISE = 9 + GATES  # as of an LSTM; and each gate's convolutions are added up apart


def _convolved(x: Array, kernel: Array) -> Array:
    """(batch, channels, size, ...) with (width, ..., channels, filters), padded to the same size.

    Cross-correlation, as in every framework; no kernel is flipped.
    """
    rank = kernel.ndim - 2
    widths, sizes = kernel.shape[:rank], x.shape[2:]
    borders = [((width - 1) // 2, width // 2) for width in widths]
    padded = np.moveaxis(np.pad(x, [(0, 0), (0, 0), *borders]), 1, -1)
    output = np.zeros((len(x), *sizes, kernel.shape[-1]))
    for offset in np.ndindex(*widths):
        shifted = tuple(slice(at, at + size) for at, size in zip(offset, sizes, strict=True))
        output += padded[(slice(None), *shifted)] @ kernel[offset]
    return np.moveaxis(output, -1, 1)


def _reference(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    x = inputs["x"]
    bias = weights["bias"].reshape(-1, *(1,) * (x.ndim - 3))
    h = memory = np.zeros((len(x), c.filters, *x.shape[3:]))
    outputs = []
    for step in np.moveaxis(x, 1, 0):
        gates = _convolved(step, weights["kernel"]) + bias
        gates += _convolved(h, weights["recurrent_kernel"])
        i, f, g, o = np.split(gates, GATES, axis=1)
        memory = sigmoid(f) * memory + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(memory)
        outputs.append(h)
    return np.stack(outputs, axis=1)


def _declare(rank: int) -> Layer:
    kind = f"ConvLSTM{rank}D"

    def over_time(c: Config, channels: int) -> tuple[int, ...]:
        batch, *image = _spatial.shape(c, rank, channels, c.size)
        return (batch, c.seq, *image)

    def products(c: Config) -> int:
        taps: int = GATES * c.kernel**rank * (c.channels + c.filters)
        return 2 * math.prod(over_time(c, c.filters)) * taps

    def first_states(c: Config) -> int:
        """Of the gradient of the zero state through the recurrent kernel."""
        taps: int = GATES * c.kernel**rank * c.filters
        return 2 * math.prod(over_time(c, c.filters)) // int(c.seq) * taps

    def flops(c: Config) -> int:
        return products(c) + ELEMENTWISE * math.prod(over_time(c, c.filters))

    def keras_build(c: Config) -> Any:
        import keras

        return getattr(keras.layers, kind)(
            c.filters,
            c.kernel,
            padding="same",
            data_format=_spatial.keras_data_format(c),
            return_sequences=True,
            recurrent_initializer="zeros",  # see the other recurrent layers
        )

    def keras_inputs(inputs: Arrays, c: Config) -> tuple[Array, ...]:
        if _spatial.keras_data_format(c) == "channels_first":
            return tuple(inputs.values())
        return (np.moveaxis(inputs["x"], 2, -1),)

    def keras_output(output: Array, c: Config) -> Array:
        first = _spatial.keras_data_format(c) == "channels_first"
        return output if first else np.moveaxis(output, -1, 2)

    return Layer(
        name=f"conv_lstm{rank}d",
        family="recurrent",
        formula="i, f, o = sigmoid(W * x_t + U * h_(t-1) + b) each, "
        "g = tanh(W * x_t + U * h_(t-1) + b), c_t = f c_(t-1) + i g, h_t = o tanh(c_t), "
        "with * a convolution at stride 1 that keeps the size",
        # Of published sizes the smallest take seconds a call: the 64 filters of 5 x 5 on 16 x 16
        # of the paper, 0.4 GFLOP a step of one item, can be asked for with parameters.
        presets={
            "textbook": {
                "channels": 4,
                "filters": 8,
                "kernel": 3,
                "size": (32, 8, 4)[rank - 1],
                "layout": "native",
            }
        },
        inputs=lambda c: {"x": normal(*over_time(c, c.channels))},
        weights=lambda c: {
            "kernel": glorot(*(c.kernel,) * rank, c.channels, GATES * c.filters),
            "recurrent_kernel": glorot(*(c.kernel,) * rank, c.filters, GATES * c.filters),
            "bias": normal(GATES * c.filters, std=0.1),
        },
        output=lambda c: over_time(c, c.filters),
        reference=_reference,
        flops=flops,
        backward_flops=lambda c: 2 * flops(c) - first_states(c),
        products=products,
        builders={
            "keras": Builder(
                keras_build,
                inputs=keras_inputs,
                output=keras_output,
                covers=(f"keras.layers.{kind}",),
            )
        },
        lacking=NO_TORCH,
        has_seq=True,
        source="Shi et al. (2015), arXiv:1506.04214, without its peepholes",
    )


CONV_LSTMS = tuple(_declare(rank) for rank in (1, 2, 3))
