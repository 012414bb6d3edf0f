"""Convolutions of one to three axes, with groups."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from harness.checks import Allowed
from harness.layer import Array, Arrays, Builder, Config, Layer
from harness.types import Value
from suites import _spatial
from suites.convolution import window
from suites.convolution.window import preset


def _reference(inputs: Arrays, weights: Arrays, c: Config, rank: int) -> Array:
    mixed = window.correlated(inputs["x"], weights["kernel"], c, c.groups)
    return mixed + window.per_channel(weights["bias"], rank)


def _torch(c: Config, rank: int) -> Any:
    from torch import nn

    return getattr(nn, f"Conv{rank}d")(
        c.in_channels,
        c.out_channels,
        c.kernel,
        stride=c.stride,
        padding=window.torch_padding(c),
        dilation=c.dilation,
        groups=c.groups,
    )


def _keras(c: Config, rank: int) -> Any:
    """Keras hands what TensorFlow has no CPU kernel for, groups and channels-first volumes, to XLA.

    It does so in a tf.function that each call makes anew: in eager mode each call compiles.

    With channels first, Keras 3.15 on TensorFlow adds the bias along the last axis if that is as
    long as there are channels (its ``ops.add`` takes it for theirs), as in the textbook preset of
    conv2d. Such a case is a mismatch, transposed or not, and not a mistake of this file.
    """
    import keras

    def convolution(padding: str) -> Any:
        return getattr(keras.layers, f"Conv{rank}D")(
            c.out_channels,
            c.kernel,
            strides=c.stride,
            padding=padding,
            data_format=_spatial.keras_data_format(c),
            dilation_rate=c.dilation,
            groups=c.groups,
        )

    return window.keras_padded(c, rank, convolution)


def _flops(c: Config, rank: int) -> int:
    places = c.batch * window.results(c) ** rank
    return int(2 * places * c.kernel**rank * c.in_channels // c.groups * c.out_channels)


def _convolution(rank: int, presets: Mapping[str, Mapping[str, Value]]) -> Layer:
    flops = partial(_flops, rank=rank)
    return Layer(
        name=f"conv{rank}d",
        family="convolution",
        formula="y[o, i] = b[o] + sum over c, u of W[o, c, u] x[c, stride i + dilation u - p], "
        f"with i and u of {rank} axes, c of o's group, and p the zeros before each axis",
        presets=presets,
        allowed={"groups": Allowed(divides="in_channels")},
        inputs=lambda c: _spatial.images(c, rank, c.in_channels),
        weights=lambda c: window.weights(c, rank, c.in_channels // c.groups, c.out_channels),
        output=lambda c: (c.batch, c.out_channels, *(window.results(c),) * rank),
        reference=partial(_reference, rank=rank),
        flops=flops,
        products=flops,
        builders={
            "torch": Builder(
                partial(_torch, rank=rank),
                weights=lambda weights, c: {
                    "weight": _spatial.outputs_first(weights["kernel"]),
                    "bias": weights["bias"],
                },
                covers=(f"torch.nn.Conv{rank}d",),
                unsupported=lambda c: (
                    window.torch_unsupported(c) or _spatial.torch_unsupported(c, rank)
                ),
                channels_last=_spatial.torch_channels_last,
            ),
            "keras": Builder(
                partial(_keras, rank=rank),
                inputs=_spatial.keras_inputs,
                output=_spatial.keras_output,
                covers=(f"keras.layers.Conv{rank}D",),
                unsupported=window.keras_unsupported,
            ),
        },
        source="Dumoulin and Visin (2016), arXiv:1603.07285, chapter 2",
    )


# wav2vec 2.0: the last layer of its feature encoder, over one second of sound; Baevski et al.
# (2020), arXiv:2006.11477, section 4.1. ResNet-50: He et al. (2016), arXiv:1512.03385, table 1.
# VoxNet: its second convolution; Maturana and Scherer (2015), doi:10.1109/IROS.2015.7353481.
CONV1D = _convolution(
    1,
    {
        "textbook": preset(16, 32, kernel=3, size=128),
        "wav2vec2_last": preset(512, 512, kernel=2, size=99, stride=2, padding="valid"),
    },
)
CONV2D = _convolution(
    2,
    {
        "textbook": preset(3, 32, kernel=3, size=32),
        "resnet50_3x3": preset(64, 64, kernel=3, size=56),
        "resnet50_1x1": preset(256, 64, kernel=1, size=56),
    },
)
CONV3D = _convolution(
    3,
    {
        "textbook": preset(3, 8, kernel=3, size=12),
        "voxnet_second": preset(32, 32, kernel=3, size=14, padding="valid"),
    },
)
CONVOLUTIONS = (CONV1D, CONV2D, CONV3D)
