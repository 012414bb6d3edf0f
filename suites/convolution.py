"""Convolutions, at stride 1 and padded so that the output is as large as the input."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, glorot, normal


def _conv2d(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    """Cross-correlation, as in every framework; no kernel is flipped."""
    border = ((c.kernel - 1) // 2, c.kernel // 2)
    padded = np.pad(inputs["x"], ((0, 0), (0, 0), border, border))
    output = np.zeros((c.batch, c.out_channels, c.size, c.size))
    for row, column in np.ndindex(c.kernel, c.kernel):
        shifted = padded[:, :, row : row + c.size, column : column + c.size]
        mixing = weights["kernel"][row, column]
        output += np.einsum("bchw,co->bohw", shifted, mixing, optimize=True)
    return output + weights["bias"][:, None, None]


def _torch_conv2d(c: Config) -> Any:
    from torch import nn

    return nn.Conv2d(c.in_channels, c.out_channels, c.kernel, padding="same")


def _keras_conv2d(c: Config) -> Any:
    import keras

    # TensorFlow convolves on the CPU with channels last only.
    return keras.layers.Conv2D(
        c.out_channels, c.kernel, padding="same", data_format="channels_last"
    )


CONV2D = Layer(
    name="conv2d",
    family="convolution",
    formula="y[o, i, j] = b[o] + sum over c, u, v of W[o, c, u, v] x[c, i + u - p, j + v - p], "
    "with p = floor((kernel - 1) / 2)",
    presets={
        "textbook": {"in_channels": 3, "out_channels": 32, "kernel": 3, "size": 32},
        "resnet50_3x3": {"in_channels": 64, "out_channels": 64, "kernel": 3, "size": 56},
        "resnet50_1x1": {"in_channels": 256, "out_channels": 64, "kernel": 1, "size": 56},
    },
    inputs=lambda c: {"x": normal(c.batch, c.in_channels, c.size, c.size)},
    weights=lambda c: {
        "kernel": glorot(c.kernel, c.kernel, c.in_channels, c.out_channels),
        "bias": normal(c.out_channels, std=0.1),
    },
    output=lambda c: (c.batch, c.out_channels, c.size, c.size),
    reference=_conv2d,
    flops=lambda c: 2 * c.batch * c.size**2 * c.kernel**2 * c.in_channels * c.out_channels,
    builders={
        "torch": Builder(
            _torch_conv2d,
            weights=lambda weights, c: {
                "weight": weights["kernel"].transpose(3, 2, 0, 1),
                "bias": weights["bias"],
            },
        ),
        "keras": Builder(
            _keras_conv2d,
            inputs=lambda inputs, c: (inputs["x"].transpose(0, 2, 3, 1),),
            output=lambda output, c: output.transpose(0, 3, 1, 2),
        ),
    },
)
