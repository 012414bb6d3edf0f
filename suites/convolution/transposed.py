"""Transposed convolutions: each input is spread over a kernel's width of the output.

What the kernels reach is (size - 1) stride + span places. ``valid`` keeps all of it; ``same`` and
``symmetric`` cut it to size * stride, and where stride exceeds the span, all three add places that
hold the bias alone, after the others, up to size * stride. Of an odd number to be cut, ``same``
takes the larger part after, as Keras does (the gradient of TensorFlow's padding ``same``), and
``symmetric`` before, as torch does: its ``padding`` cuts both ends alike, and its
``output_padding`` gives places back after them, fewer than a stride. With kernel 3 and stride 2
that is one pixel's difference, so each is done only in the framework that has it; with kernel 4
and stride 2 they are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from harness.checks import Allowed
from harness.layer import Array, Arrays, Builder, Config, Layer
from harness.types import Value
from suites import _spatial
from suites.convolution.window import (
    check_padding,
    keras_unsupported,
    per_channel,
    preset,
    span,
    strided,
    weights,
)


def _cut(c: Config) -> tuple[int, int]:
    """Places before and after each axis that do not become output.

    Raises:
        UsageError: there is no such padding.
    """
    check_padding(c)
    if c.padding == "valid":
        return 0, 0
    cut = max(span(c) - c.stride, 0)
    smaller, larger = cut // 2, cut - cut // 2
    return (smaller, larger) if c.padding == "same" else (larger, smaller)


def _added(c: Config) -> int:
    """Places after each axis that no kernel reaches."""
    return int(max(c.stride - span(c), 0))


def _results(c: Config) -> int:
    """Along each axis."""
    return int((c.size - 1) * c.stride + span(c) - sum(_cut(c)) + _added(c))


def _reference(inputs: Arrays, weights: Arrays, c: Config, rank: int) -> Array:
    """The adjoint of cross-correlation: no kernel is flipped."""
    x = inputs["x"].reshape(c.batch, c.groups, c.in_channels // c.groups, -1)
    grouped = (c.groups, c.in_channels // c.groups, c.out_channels // c.groups)
    mixing = weights["kernel"].reshape(*(c.kernel,) * rank, *grouped)
    reached = ((c.size - 1) * c.stride + span(c) + _added(c),) * rank
    output = np.zeros((c.batch, c.out_channels, *reached))
    lengths = (c.size,) * rank
    for tap in np.ndindex(*(c.kernel,) * rank):
        spread = np.einsum("gio->goi", mixing[tap]) @ x
        starts = [c.dilation * place for place in tap]
        output[:, :, *strided(starts, lengths, c.stride)] += spread.reshape(
            c.batch, c.out_channels, *lengths
        )
    kept = strided((_cut(c)[0],) * rank, (_results(c),) * rank, 1)
    return output[:, :, *kept] + per_channel(weights["bias"], rank)


def _output_padding(c: Config) -> int:
    """torch's, whose ``padding`` is what is cut before."""
    before, after = _cut(c)
    return before - after + _added(c)


def _torch(c: Config, rank: int) -> Any:
    from torch import nn

    return getattr(nn, f"ConvTranspose{rank}d")(
        c.in_channels,
        c.out_channels,
        c.kernel,
        stride=c.stride,
        padding=_cut(c)[0],
        output_padding=_output_padding(c),
        groups=c.groups,
        dilation=c.dilation,
    )


def _torch_unsupported(c: Config) -> str:
    before, after = _cut(c)
    if before < after:
        return (
            f"torch cuts no more after than before; 'same' cuts {before} before and {after} after "
            f"at kernel = {c.kernel} and stride = {c.stride}"
        )
    if _output_padding(c) >= max(c.stride, c.dilation):
        return "torch's output_padding has to be smaller than stride or dilation"
    return ""


def _keras(c: Config, rank: int) -> Any:
    import keras

    return getattr(keras.layers, f"Conv{rank}DTranspose")(
        c.out_channels,
        c.kernel,
        strides=c.stride,
        padding="valid" if c.padding == "valid" else "same",
        data_format=_spatial.keras_data_format(c),
        dilation_rate=c.dilation,
    )


def _keras_unsupported(c: Config) -> str:
    before, after = _cut(c)
    if before > after:
        return (
            f"Keras cuts no more before than after; 'symmetric' cuts {before} before and {after} "
            f"after at kernel = {c.kernel} and stride = {c.stride}"
        )
    if c.groups > 1:
        return "Keras's transposed convolutions have no groups"
    return keras_unsupported(c)


def _flops(c: Config, rank: int) -> int:
    """Products whose results are cut off count too."""
    places = c.batch * (c.size * c.kernel) ** rank
    return int(2 * places * c.in_channels // c.groups * c.out_channels)


def _transposed(rank: int, presets: Mapping[str, Mapping[str, Value]]) -> Layer:
    flops = partial(_flops, rank=rank)
    return Layer(
        name=f"conv_transpose{rank}d",
        family="convolution",
        formula="y[o, j] = b[o] + sum over c, i, u with stride i + dilation u = j + p of "
        f"W[c, o, u] x[c, i], with i, j and u of {rank} axes, c of o's group, and p what is cut "
        "before each axis",
        presets=presets,
        allowed={"groups": Allowed(divides="in_channels")},
        inputs=lambda c: _spatial.images(c, rank, c.in_channels),
        weights=lambda c: weights(c, rank, c.in_channels, c.out_channels // c.groups),
        output=lambda c: (c.batch, c.out_channels, *(_results(c),) * rank),
        reference=partial(_reference, rank=rank),
        flops=flops,
        products=flops,
        builders={
            "torch": Builder(
                partial(_torch, rank=rank),
                weights=lambda weights, c: {
                    "weight": np.moveaxis(weights["kernel"], (-2, -1), (0, 1)),
                    "bias": weights["bias"],
                },
                covers=(f"torch.nn.ConvTranspose{rank}d",),
                unsupported=lambda c: _torch_unsupported(c) or _spatial.torch_unsupported(c, rank),
                channels_last=_spatial.torch_channels_last,
            ),
            "keras": Builder(
                partial(_keras, rank=rank),
                weights=lambda held, c: {**held, "kernel": held["kernel"].swapaxes(-1, -2)},
                inputs=_spatial.keras_inputs,
                output=_spatial.keras_output,
                covers=(f"keras.layers.Conv{rank}DTranspose",),
                unsupported=_keras_unsupported,
            ),
        },
        source="Dumoulin and Visin (2016), arXiv:1603.07285, chapter 4",
    )


# HiFi-GAN V3: its first layer that upsamples, over its training segment; Kong et al. (2020),
# arXiv:2010.05646, appendix A. DCGAN: the generator's layer from 8 x 8 to 16 x 16, after Radford et
# al. (2016), arXiv:1511.06434, with 64 filters and kernel 4. nnU-Net: the first step up from the
# bottom of the 3-D U-Net for patches of 128; Isensee et al. (2021), doi:10.1038/s41592-020-01008-z.
TRANSPOSED = (
    _transposed(
        1,
        {
            "textbook": preset(32, 16, kernel=4, size=64, stride=2),
            "hifigan_v3_first": preset(256, 128, kernel=16, size=32, stride=8),
        },
    ),
    _transposed(
        2,
        {
            "textbook": preset(16, 8, kernel=4, size=8, stride=2),
            "dcgan_8_to_16": preset(256, 128, kernel=4, size=8, stride=2),
        },
    ),
    _transposed(
        3,
        {
            "textbook": preset(8, 4, kernel=2, size=6, stride=2),
            "nnunet_bottom": preset(320, 320, kernel=2, size=4, stride=2),
        },
    ),
)
