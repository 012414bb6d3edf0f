"""Pooling whose places are data: random windows, and maxima put back to where they came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, integers
from harness.types import UsageError
from suites import _spatial
from suites._lacking import NO_KERAS
from suites.pooling.declaration import TEXTBOOK_CHANNELS, no_memory_format

DRAWS = 64
"""Of a random number u in (0, 1): odd multiples of 1/128, so that no product with a ratio of sizes
comes so close to a whole number that rounding decides on which side it is."""


def _starts(samples: Array, c: Config) -> Array:
    """(batch, channels, output_size): where windows of `kernel` begin, as u in (0, 1) has it.

    Source: Graham (2014), arXiv:1412.6071, section 2.2, pseudorandom: ceil(alpha (i + u)); torch
    takes floor, less that of alpha u, so that the first window is at the edge, as is the last.
    """
    alpha = (c.size - c.kernel) / max(c.output_size - 1, 1)
    u = samples[..., None]
    starts = np.floor(alpha * (np.arange(c.output_size) + u)) - np.floor(alpha * u)
    starts[..., -1] = c.size - c.kernel
    return np.asarray(starts, np.int64)


def _fractional(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    x, starts = inputs["x"], _starts(_samples(weights), c)
    rank = x.ndim - 2
    for axis in range(rank):
        windows = starts[..., None] + np.arange(c.kernel)
        line = np.moveaxis(x, 2 + axis, -1)
        at = windows.reshape(*windows.shape[:2], *(1,) * (rank - 1), -1)
        taken = np.take_along_axis(line, at, axis=-1)
        maxima = taken.reshape(*taken.shape[:-1], c.output_size, c.kernel).max(-1)
        x = np.moveaxis(maxima, -1, 2 + axis)
    return x


def _samples(weights: Arrays) -> Array:
    """u, of the number of its draw."""
    return (weights["draws"] + 0.5) / DRAWS


def _fractional_max_pool(rank: int, channels: int, size: int, output_size: int) -> Layer:
    def build(c: Config) -> Any:
        import torch

        make = getattr(torch.nn, f"FractionalMaxPool{rank}d")
        samples = torch.empty(c.batch, c.channels, rank)
        return make(c.kernel, output_size=c.output_size, _random_samples=samples)

    def output(c: Config) -> tuple[int, ...]:
        if c.output_size + c.kernel - 1 > c.size:
            raise UsageError(
                f"size = {c.size} is too small for output_size = {c.output_size} of kernel = "
                f"{c.kernel}: torch asks for {c.output_size + c.kernel - 1} or more"
            )
        return _spatial.shape(c, rank, c.channels, c.output_size)

    def outputs(c: Config) -> int:
        return int(np.prod(output(c)))

    textbook = {"channels": TEXTBOOK_CHANNELS[rank], "size": 8, "output_size": 5, "kernel": 2}
    realistic = {"channels": channels, "size": size, "output_size": output_size, "kernel": 2}
    return Layer(
        name=f"fractional_max_pool{rank}d",
        family="pooling",
        formula="y[i] = max of the kernel values from floor(a (i + u)) - floor(a u) along each "
        "axis, a = (size - kernel) / (output_size - 1), u random for each channel; the last "
        "window is at the end",
        presets={
            "textbook": {**textbook, "layout": "native"},
            "fmp_cifar": {**realistic, "layout": "native"},
        },
        inputs=lambda c: _spatial.images(c, rank, c.channels),
        # torch draws u in each call, one for each axis of a channel, unless they are given: then
        # what it computes can be told, and what is left out of its time is next to nothing. Here
        # all axes of a channel have the same, since compiled torch takes those of 3-D images in
        # another order than eager torch.
        weights=lambda c: {"draws": integers(c.batch, c.channels, high=DRAWS)},
        output=output,
        reference=_fractional,
        flops=lambda c: outputs(c) * (c.kernel**rank - 1),
        backward_flops=outputs,
        products=lambda c: 0,
        traffic=lambda c, item: item * (outputs(c) + c.batch * c.channels * (c.size**rank + rank)),
        builders={
            "torch": Builder(
                build,
                weights=lambda weights, c: {
                    "_random_samples": _samples(weights)[..., None].repeat(rank, axis=-1)
                },
                covers=(f"torch.nn.FractionalMaxPool{rank}d",),
                channels_last=_spatial.torch_channels_last,
            )
        },
        lacking=NO_KERAS,
        source="Graham (2014), arXiv:1412.6071",
    )


def _unpooled(inputs: Arrays, _weights: Arrays, c: Config) -> Array:
    x = inputs["x"]
    image = np.zeros((*x.shape[:2], (c.size * c.kernel) ** (x.ndim - 2)))
    places = _places(inputs["offsets"], c).reshape(*x.shape[:2], -1)
    np.put_along_axis(image, places, x.reshape(*x.shape[:2], -1), axis=-1)
    return image.reshape(*x.shape[:2], *(c.size * c.kernel,) * (x.ndim - 2))


def _places(offsets: Array, c: Config) -> Array:
    """Flat indices into the image, as max pooling returns them, of places in each window."""
    rank = offsets.ndim - 2
    window = np.indices(offsets.shape[2:]) * c.kernel
    within = np.unravel_index(offsets, (c.kernel,) * rank)
    image = (c.size * c.kernel,) * rank
    return np.ravel_multi_index(tuple(map(np.add, window, within)), image)


def _max_unpool(rank: int, name: str, channels: int, size: int) -> Layer:
    def build(c: Config) -> Any:
        from torch import nn

        return getattr(nn, f"MaxUnpool{rank}d")(c.kernel)

    textbook = {"channels": TEXTBOOK_CHANNELS[rank], "size": 4 if rank > 1 else 64, "kernel": 2}
    realistic = {"channels": channels, "size": size, "kernel": 2}
    return Layer(
        name=f"max_unpool{rank}d",
        family="pooling",
        formula="y = 0 but for y[k[i]] = x[i], where k[i] is a place in window i of kernel values "
        "along each axis",
        presets={
            "textbook": {**textbook, "layout": "native"},
            name: {**realistic, "layout": "native"},
        },
        inputs=lambda c: {
            **_spatial.images(c, rank, c.channels),
            "offsets": integers(*_spatial.shape(c, rank, c.channels, c.size), high=c.kernel**rank),
        },
        output=lambda c: _spatial.shape(c, rank, c.channels, c.size * c.kernel),
        reference=_unpooled,
        flops=lambda c: 0,  # values move, nothing is computed
        backward_flops=lambda c: 0,
        products=lambda c: 0,
        builders={
            "torch": Builder(
                build,
                inputs=lambda inputs, c: (inputs["x"], _places(inputs["offsets"], c)),
                covers=(f"torch.nn.MaxUnpool{rank}d",),
                channels_last=_spatial.torch_channels_last,
                unsupported=lambda c: no_memory_format(c, rank),
            )
        },
        lacking=NO_KERAS,
        source="Zeiler et al. (2011), doi:10.1109/ICCV.2011.6126474, section 2",
    )


# As in Graham's networks for CIFAR, the first 160 channels wide: maps shrink by the cube root of 2.
FRACTIONAL = (
    _fractional_max_pool(2, channels=160, size=29, output_size=23),
    _fractional_max_pool(3, channels=32, size=16, output_size=12),
)
UNPOOLING = (
    _max_unpool(1, "m5_mirrored", channels=128, size=250),
    # Badrinarayanan et al. (2015), arXiv:1511.00561: SegNet's second decoder, of 224 x 224.
    _max_unpool(2, "segnet", channels=512, size=14),
    _max_unpool(3, "voxnet_mirrored", channels=32, size=6),
)
