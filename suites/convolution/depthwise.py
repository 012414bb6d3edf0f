"""Depthwise convolutions: each channel has kernels of its own, and no channels are mixed.

In torch that is a convolution of as many groups as channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, normal
from harness.types import Value
from suites import _spatial
from suites.convolution import window


def _preset(
    channels: int, kernel: int, size: int, *, multiplier: int = 1, stride: int = 1
) -> dict[str, Value]:
    return {
        "channels": channels,
        "multiplier": multiplier,
        "kernel": kernel,
        "size": size,
        "stride": stride,
        "dilation": 1,
        "padding": "same",
        "layout": "native",
    }


def kernels(c: Config, rank: int, channels: int) -> Tensor:
    """(kernel, ..., channels, multiplier), as in Keras; a channel's fan-in is its own kernel."""
    fans = c.kernel**rank * (1 + c.multiplier)
    return normal(*(c.kernel,) * rank, channels, c.multiplier, std=float((2 / fans) ** 0.5))


def grouped(kernel: Array) -> Array:
    """(kernel, ..., channels, multiplier) as a kernel of one group a channel."""
    return kernel.reshape(*kernel.shape[:-2], 1, -1)


def flops(c: Config, rank: int, channels: int) -> int:
    """Of `channels` that are convolved each for itself."""
    return int(2 * c.batch * (window.results(c) * c.kernel) ** rank * channels * c.multiplier)


def torch_layer(c: Config, rank: int, channels: int, *, bias: bool) -> Any:
    from torch import nn

    return getattr(nn, f"Conv{rank}d")(
        channels,
        channels * c.multiplier,
        c.kernel,
        stride=c.stride,
        padding=window.torch_padding(c),
        dilation=c.dilation,
        groups=channels,
        bias=bias,
    )


def _reference(inputs: Arrays, weights: Arrays, c: Config, rank: int) -> Array:
    mixed = window.correlated(inputs["x"], grouped(weights["kernel"]), c, c.channels)
    return mixed + window.per_channel(weights["bias"], rank)


def _keras(c: Config, rank: int) -> Any:
    """With a stride and a dilation Keras convolves once without stride and leaves out results."""
    import keras

    def convolution(padding: str) -> Any:
        return getattr(keras.layers, f"DepthwiseConv{rank}D")(
            c.kernel,
            strides=c.stride,
            padding=padding,
            depth_multiplier=c.multiplier,
            data_format=_spatial.keras_data_format(c),
            dilation_rate=c.dilation,
        )

    return window.keras_padded(c, rank, convolution)


def _depthwise(rank: int, presets: Mapping[str, Mapping[str, Value]]) -> Layer:
    count = partial(_flops, rank=rank)
    return Layer(
        name=f"depthwise_conv{rank}d",
        family="convolution",
        formula="y[multiplier c + m, i] = b[multiplier c + m] + sum over u of "
        f"W[u, c, m] x[c, stride i + dilation u - p], with i and u of {rank} axes",
        presets=presets,
        inputs=lambda c: _spatial.images(c, rank, c.channels),
        weights=lambda c: {
            "kernel": kernels(c, rank, c.channels),
            "bias": normal(c.channels * c.multiplier, std=0.1),
        },
        output=lambda c: (c.batch, c.channels * c.multiplier, *(window.results(c),) * rank),
        reference=partial(_reference, rank=rank),
        flops=count,
        products=count,
        builders={
            "torch": Builder(
                lambda c: torch_layer(c, rank, c.channels, bias=True),
                weights=lambda weights, c: {
                    "weight": _spatial.outputs_first(grouped(weights["kernel"])),
                    "bias": weights["bias"],
                },
                unsupported=lambda c: (
                    window.torch_unsupported(c) or _spatial.torch_unsupported(c, rank)
                ),
                channels_last=_spatial.torch_channels_last,
            ),
            "keras": Builder(
                partial(_keras, rank=rank),
                inputs=_spatial.keras_inputs,
                output=_spatial.keras_output,
                covers=(f"keras.layers.DepthwiseConv{rank}D",),
            ),
        },
        source="Howard et al. (2017), arXiv:1704.04861, equation 3",
    )


def _flops(c: Config, rank: int) -> int:
    return flops(c, rank, c.channels)


# Conformer (M): the convolution module over 4 s of sound; Gulati et al. (2020), arXiv:2005.08100,
# table 1. MobileNet: its layers of 14 x 14; Howard et al. (2017), arXiv:1704.04861, table 1.
DEPTHWISE = (
    _depthwise(
        1,
        {
            "textbook": _preset(16, kernel=3, size=128, multiplier=2),
            "conformer_m": _preset(256, kernel=32, size=100),
        },
    ),
    _depthwise(
        2,
        {
            "textbook": _preset(16, kernel=3, size=16, multiplier=2),
            "mobilenet_14x14": _preset(512, kernel=3, size=14),
        },
    ),
)
