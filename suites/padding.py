"""Padding and cropping: layers that compute nothing and move everything.

Each pads or crops both ends of each axis of space alike. Keras pads with zeros only, and has the
layer that crops; torch crops by slicing, which moves nothing.

In torch, circular padding gives its output with channels first in memory, even where its input has
them last; the other paddings keep the layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor
from harness.types import UsageError, Value
from suites import _spatial
from suites._lacking import NO_KERAS, NO_TORCH

CONSTANT = 0.5
"""What a constant padding is filled with; any number takes as long."""

Mode: TypeAlias = Literal["constant", "edge", "reflect", "wrap"]
"""NumPy's names of what stands outside of the image."""
Presets: TypeAlias = Mapping[str, Mapping[str, Value]]


def _preset(channels: int, size: int, **ends: int) -> dict[str, Value]:
    return {"channels": channels, "size": size, **ends, "layout": "native"}


# MelGAN: its last padding, over a training segment; Kumar et al. (2019), arXiv:1910.06711.
# CycleGAN: the generator's first padding; Zhu et al. (2017), arXiv:1703.10593, appendix 7.2.
# VoxNet: objects of 24 voxels in a grid of 32; Maturana and Scherer (2015),
# doi:10.1109/IROS.2015.7353481.
_PADDED: Mapping[int, Presets] = {
    1: {
        "textbook": _preset(16, 128, padding=2),
        "melgan_last": _preset(32, 8192, padding=3),
    },
    2: {
        "textbook": _preset(16, 16, padding=2),
        "cyclegan_first": _preset(3, 256, padding=3),
    },
    3: {
        "textbook": _preset(4, 8, padding=2),
        "voxnet_grid": _preset(1, 24, padding=4),
    },
}
# EnCodec for 48 kHz: what its first transposed convolution is trimmed by, over a second; Défossez
# et al. (2022), arXiv:2210.13438, section 3.1. ImageNet: the central 224 x 224 of an image of 256;
# Krizhevsky et al. (2012), doi:10.1145/3065386, section 4.1.
_CROPPED: Mapping[int, Presets] = {
    1: {
        "textbook": _preset(16, 128, cropping=2),
        "encodec_first": _preset(256, 1208, cropping=4),
    },
    2: {
        "textbook": _preset(16, 16, cropping=2),
        "imagenet_crop": _preset(3, 256, cropping=16),
    },
    3: {
        "textbook": _preset(4, 8, cropping=2),
        "voxnet_grid": _preset(1, 32, cropping=4),
    },
}


def _inputs(c: Config, rank: int, most: int | None) -> dict[str, Tensor]:
    """`most` is the largest padding there can be, beside the size, if there is one."""
    if most is not None and c.padding > c.size + most:
        raise UsageError(f"padding = {c.padding} is more than {c.size + most}, at size = {c.size}")
    return _spatial.images(c, rank, c.channels)


def _padded_shape(c: Config, rank: int) -> tuple[int, ...]:
    return _spatial.shape(c, rank, c.channels, c.size + 2 * c.padding)


def _pad(inputs: Arrays, _weights: Arrays, c: Config, rank: int, mode: Mode, value: float) -> Array:
    ends = ((0, 0), (0, 0), *((c.padding, c.padding),) * rank)
    if mode == "constant":
        return np.pad(inputs["x"], ends, constant_values=value)
    return np.pad(inputs["x"], ends, mode=mode)


def _copies(c: Config, rank: int) -> int:
    """Elements of the border: backward, each is added to the one that it is a copy of."""
    return int(c.batch * c.channels * ((c.size + 2 * c.padding) ** rank - c.size**rank))


def _torch_pad(c: Config, rank: int, kind: str) -> Any:
    from torch import nn

    value = (CONSTANT,) if kind == "Constant" else ()
    return getattr(nn, f"{kind}Pad{rank}d")(c.padding, *value)


def _keras_pad(c: Config, rank: int) -> Any:
    import keras

    layer = getattr(keras.layers, f"ZeroPadding{rank}D")
    return layer(c.padding, data_format=_spatial.keras_data_format(c))


def _padding(
    kind: str, rank: int, formula: str, mode: Mode, *, value: float = 0.0, most: int | None = None
) -> Layer:
    """`kind` is what torch calls it."""
    torch = Builder(
        partial(_torch_pad, rank=rank, kind=kind),
        covers=(f"torch.nn.{kind}Pad{rank}d",),
        unsupported=partial(_spatial.torch_unsupported, rank=rank),
        channels_last=_spatial.torch_channels_last,
    )
    keras = Builder(
        partial(_keras_pad, rank=rank),
        inputs=_spatial.keras_inputs,
        output=_spatial.keras_output,
        covers=(f"keras.layers.ZeroPadding{rank}D",),
    )
    both = kind == "Zero"
    return Layer(
        name=f"{kind.lower()}_pad{rank}d",
        family="padding",
        formula=formula,
        presets=_PADDED[rank],
        inputs=partial(_inputs, rank=rank, most=most),
        output=partial(_padded_shape, rank=rank),
        reference=partial(_pad, rank=rank, mode=mode, value=value),
        flops=lambda c: 0,
        products=lambda c: 0,
        backward_flops=(lambda c: 0) if mode == "constant" else partial(_copies, rank=rank),
        builders={"torch": torch, "keras": keras} if both else {"torch": torch},
        lacking={} if both else NO_KERAS,
    )


_OUTSIDE = "y[i] = x[i - padding] inside of x, and outside of it, along each axis, "
PADDINGS = tuple(
    layer
    for rank in (1, 2, 3)
    for layer in (
        _padding("Zero", rank, _OUTSIDE + "0", "constant"),
        _padding("Constant", rank, _OUTSIDE + f"{CONSTANT:g}", "constant", value=CONSTANT),
        _padding("Replication", rank, _OUTSIDE + "its nearest element", "edge"),
        _padding("Reflection", rank, _OUTSIDE + "x mirrored at its ends", "reflect", most=-1),
        _padding("Circular", rank, _OUTSIDE + "x from its other end", "wrap", most=0),
    )
)


def _cropped_shape(c: Config, rank: int) -> tuple[int, ...]:
    return _spatial.shape(c, rank, c.channels, c.size - 2 * c.cropping)


def _crop_inputs(c: Config, rank: int) -> dict[str, Tensor]:
    if 2 * c.cropping >= c.size:
        raise UsageError(f"cropping = {c.cropping} leaves nothing of size = {c.size}")
    return _spatial.images(c, rank, c.channels)


def _crop(inputs: Arrays, _weights: Arrays, c: Config, rank: int) -> Array:
    return inputs["x"][:, :, *(slice(c.cropping, c.size - c.cropping),) * rank]


def _kept_bytes(c: Config, item: int, rank: int) -> int:
    """What is cut off need not be read."""
    return 2 * item * int(np.prod(_cropped_shape(c, rank)))


def _keras_crop(c: Config, rank: int) -> Any:
    import keras

    layer = getattr(keras.layers, f"Cropping{rank}D")
    # That of one axis has no data format.
    told = {"data_format": _spatial.keras_data_format(c)} if rank > 1 else {}
    return layer(c.cropping, **told)


def _cropping(rank: int) -> Layer:
    return Layer(
        name=f"cropping{rank}d",
        family="padding",
        formula="y[i] = x[i + cropping], along each axis",
        presets=_CROPPED[rank],
        inputs=partial(_crop_inputs, rank=rank),
        output=partial(_cropped_shape, rank=rank),
        reference=partial(_crop, rank=rank),
        flops=lambda c: 0,
        products=lambda c: 0,
        backward_flops=lambda c: 0,
        traffic=partial(_kept_bytes, rank=rank),
        builders={
            "keras": Builder(
                partial(_keras_crop, rank=rank),
                inputs=_spatial.keras_inputs,
                output=_spatial.keras_output,
                covers=(f"keras.layers.Cropping{rank}D",),
                unsupported=partial(_spatial.keras_channels_last_only, rank=rank),
            )
        },
        lacking=NO_TORCH,
    )


CROPPINGS = tuple(_cropping(rank) for rank in (1, 2, 3))
