"""Separable convolutions: a depthwise convolution, then one of kernel 1 that mixes the channels.

torch has no layer of that name; in it, models are written as the two convolutions that it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from harness.layer import Array, Arrays, Builder, Config, Layer, glorot, normal
from harness.types import Value
from suites import _spatial
from suites.convolution import depthwise, window


def _preset(in_channels: int, out_channels: int, kernel: int, size: int) -> dict[str, Value]:
    return {
        "in_channels": in_channels,
        "out_channels": out_channels,
        "multiplier": 1,
        "kernel": kernel,
        "size": size,
        "stride": 1,
        "dilation": 1,
        "padding": "same",
        "layout": "native",
    }


def _reference(inputs: Arrays, weights: Arrays, c: Config, rank: int) -> Array:
    kernels = depthwise.grouped(weights["depthwise"])
    apart = window.correlated(inputs["x"], kernels, c, c.in_channels)
    bias = window.per_channel(weights["bias"], rank)
    mixed = weights["pointwise"].T @ apart.reshape(*apart.shape[:2], -1)
    return mixed.reshape(c.batch, -1, *apart.shape[2:]) + bias


def _torch(c: Config, rank: int) -> Any:
    from torch import nn

    mixing = getattr(nn, f"Conv{rank}d")(c.in_channels * c.multiplier, c.out_channels, 1)
    return nn.Sequential(depthwise.torch_layer(c, rank, c.in_channels, bias=False), mixing)


def _torch_weights(weights: Arrays, rank: int) -> Arrays:
    mixing = weights["pointwise"].T
    return {
        "0.weight": _spatial.outputs_first(depthwise.grouped(weights["depthwise"])),
        "1.weight": mixing.reshape(*mixing.shape, *(1,) * rank),
        "1.bias": weights["bias"],
    }


def _keras(c: Config, rank: int) -> Any:
    import keras

    def convolution(padding: str) -> Any:
        return getattr(keras.layers, f"SeparableConv{rank}D")(
            c.out_channels,
            c.kernel,
            strides=c.stride,
            padding=padding,
            depth_multiplier=c.multiplier,
            data_format=_spatial.keras_data_format(c),
            dilation_rate=c.dilation,
        )

    return window.keras_padded(c, rank, convolution)


def _keras_weights(weights: Arrays, rank: int) -> Arrays:
    mixing = weights["pointwise"]
    return {
        "depthwise_kernel": weights["depthwise"],
        "pointwise_kernel": mixing.reshape(*(1,) * rank, *mixing.shape),
        "bias": weights["bias"],
    }


def _flops(c: Config, rank: int) -> int:
    places = c.batch * window.results(c) ** rank
    mixing = int(2 * places * c.in_channels * c.multiplier * c.out_channels)
    return depthwise.flops(c, rank, c.in_channels) + mixing


def _separable(rank: int, presets: Mapping[str, Mapping[str, Value]]) -> Layer:
    flops = partial(_flops, rank=rank)
    return Layer(
        name=f"separable_conv{rank}d",
        family="convolution",
        formula="y[o, i] = b[o] + sum over c, m of P[c, m, o] z[c, m, i], with z[c, m, i] = sum "
        f"over u of D[u, c, m] x[c, stride i + dilation u - p], i and u of {rank} axes",
        presets=presets,
        inputs=lambda c: _spatial.images(c, rank, c.in_channels),
        weights=lambda c: {
            "depthwise": depthwise.kernels(c, rank, c.in_channels),
            "pointwise": glorot(c.in_channels * c.multiplier, c.out_channels),
            "bias": normal(c.out_channels, std=0.1),
        },
        output=lambda c: (c.batch, c.out_channels, *(window.results(c),) * rank),
        reference=partial(_reference, rank=rank),
        flops=flops,
        products=flops,
        builders={
            "torch": Builder(
                partial(_torch, rank=rank),
                weights=lambda weights, c: _torch_weights(weights, rank),
                unsupported=lambda c: (
                    window.torch_unsupported(c) or _spatial.torch_unsupported(c, rank)
                ),
                channels_last=_spatial.torch_channels_last,
            ),
            "keras": Builder(
                partial(_keras, rank=rank),
                weights=lambda weights, c: _keras_weights(weights, rank),
                inputs=_spatial.keras_inputs,
                output=_spatial.keras_output,
                covers=(f"keras.layers.SeparableConv{rank}D",),
            ),
        },
        source="Howard et al. (2017), arXiv:1704.04861, section 3.1",
    )


# QuartzNet: its first block, over 2 s of sound; Kriman et al. (2020), arXiv:1910.10261, table 1.
# EfficientDet-D0: BiFPN at its second level; Tan et al. (2020), arXiv:1911.09070, table 1.
SEPARABLE = (
    _separable(
        1,
        {
            "textbook": _preset(16, 32, kernel=3, size=128),
            "quartznet_first": _preset(256, 256, kernel=33, size=100),
        },
    ),
    _separable(
        2,
        {
            "textbook": _preset(16, 32, kernel=3, size=16),
            "efficientdet_d0": _preset(64, 64, kernel=3, size=32),
        },
    ),
)
