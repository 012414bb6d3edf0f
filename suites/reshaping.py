"""Reshaping: values move, or only their shape changes; nothing is computed, but in folding.

What only changes a shape moves nothing in torch and little in TensorFlow: its time is that of a
call, and its declared traffic 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, normal
from harness.types import UsageError, Value
from suites import _spatial
from suites._builders import keras_layer, torch_module
from suites._lacking import NO_KERAS, NO_TORCH

# The end of ResNet-50's convolutions, 7 x 7 x 2048: He et al. (2016), arXiv:1512.03385, table 1.
_MAPS: Mapping[str, Mapping[str, Value]] = {
    "textbook": {"channels": 16, "size": 8},
    "resnet50_conv5": {"channels": 2048, "size": 7},
}


def _map(c: Config) -> tuple[int, ...]:
    return (c.batch, c.channels, c.size, c.size)


def _flat(c: Config) -> tuple[int, ...]:
    return (c.batch, c.channels * c.size**2)


def _view(
    name: str,
    formula: str,
    before: Callable[[Config], tuple[int, ...]],
    after: Callable[[Config], tuple[int, ...]],
    builders: Mapping[str, Builder],
) -> Layer:
    """Another shape of the same values in the same order.

    Axes are axes here: what they mean, and so which comes last, makes no difference.
    """
    return Layer(
        name=name,
        family="reshaping",
        formula=formula,
        presets=_MAPS,
        inputs=lambda c: {"x": normal(*before(c))},
        output=after,
        reference=lambda inputs, weights, c: inputs["x"].reshape(after(c)),
        flops=lambda c: 0,
        traffic=lambda c, item: 0,
        builders=builders,
    )


VIEWS = (
    _view(
        "flatten",
        "y = x, with all axes but the batch as one",
        _map,
        _flat,
        {"torch": torch_module("Flatten"), "keras": keras_layer("Flatten")},
    ),
    _view(
        "unflatten",
        "y = x, with its last axis as three",
        _flat,
        _map,
        {
            "torch": torch_module(
                "Unflatten", lambda c: {"dim": 1, "unflattened_size": _map(c)[1:]}
            ),
            "keras": keras_layer("Reshape", lambda c: {"target_shape": _map(c)[1:]}),
        },
    ),
)

PERMUTE = Layer(
    name="permute",
    family="reshaping",
    formula="y[i, j, k] = x[k, i, j]",
    presets=_MAPS,
    inputs=lambda c: {"x": normal(*_map(c))},
    output=lambda c: (c.batch, c.size, c.size, c.channels),
    reference=lambda inputs, weights, c: np.moveaxis(inputs["x"], 1, -1),
    flops=lambda c: 0,
    builders={"keras": keras_layer("Permute", lambda c: {"dims": (2, 3, 1)})},
    lacking={"torch": "torch.nn has no such module: it is a method of tensors"},
)

REPEAT_VECTOR = Layer(
    name="repeat_vector",
    family="reshaping",
    formula="y[i] = x, for i = 1 to n",
    presets={
        "textbook": {"features": 64, "count": 10},
        # The encoder's last state for each step of a decoder: Cho et al. (2014), arXiv:1406.1078.
        "seq2seq_1000": {"features": 1000, "count": 50},
    },
    inputs=lambda c: {"x": normal(c.batch, c.features)},
    output=lambda c: (c.batch, c.count, c.features),
    reference=lambda inputs, weights, c: np.repeat(inputs["x"][:, None], c.count, axis=1),
    flops=lambda c: 0,
    backward_flops=lambda c: c.batch * c.count * c.features,  # sums
    terms=lambda c: c.count,
    builders={"keras": keras_layer("RepeatVector", lambda c: {"n": c.count})},
    lacking=NO_TORCH,
)


_WINDOWS = ("kernel", "stride", "padding", "dilation")
_PATCHES: Mapping[str, Mapping[str, Value]] = {
    "textbook": {
        "channels": 3, "size": 16, "kernel": 3, "stride": 1, "padding": 1, "dilation": 1,
    },
    # Patches of 16 x 16 pixels: Dosovitskiy et al. (2021), arXiv:2010.11929, section 3.1.
    "vit_b16": {
        "channels": 3, "size": 224, "kernel": 16, "stride": 16, "padding": 0, "dilation": 1,
    },
}  # fmt: skip


def _places(c: Config) -> int:
    """Of a window, along each axis.

    Raises:
        UsageError: it is larger than the image.
    """
    free = c.size + 2 * c.padding - c.dilation * (c.kernel - 1) - 1
    if free < 0:
        raise UsageError(f"a kernel of {c.kernel} does not fit into a size of {c.size}")
    return int(free // c.stride) + 1


def _columns(c: Config) -> tuple[int, ...]:
    return (c.batch, c.channels * c.kernel**2, _places(c) ** 2)


def _shifts(c: Config) -> list[tuple[slice, slice]]:
    """Of each tap of the kernel, the pixels of the padded image that it meets."""
    reach = c.stride * (_places(c) - 1) + 1
    along = [slice(k * c.dilation, k * c.dilation + reach, c.stride) for k in range(c.kernel)]
    return [(row, column) for row in along for column in along]


def _unfold(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    border = (c.padding, c.padding)
    padded = np.pad(inputs["x"], ((0, 0), (0, 0), border, border))
    return np.stack([padded[:, :, i, j] for i, j in _shifts(c)], axis=2).reshape(_columns(c))


def _fold(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    places, padded = _places(c), c.size + 2 * c.padding
    taps = inputs["x"].reshape(c.batch, c.channels, c.kernel**2, places, places)
    image = np.zeros((c.batch, c.channels, padded, padded))
    for tap, (i, j) in enumerate(_shifts(c)):
        image[:, :, i, j] += taps[:, :, tap]
    inner = slice(c.padding, c.padding + c.size)
    return image[:, :, inner, inner]


def _windows(c: Config) -> dict[str, Any]:
    return {"kernel_size" if name == "kernel" else name: c.params[name] for name in _WINDOWS}


def _column_values(c: Config) -> int:
    return int(np.prod(_columns(c)))


UNFOLD = Layer(
    name="unfold",
    family="reshaping",
    formula="y[c k² + i k + j, l] = x[c, r + d i, s + d j], (r, s) where window l begins",
    presets={name: {**sizes, "layout": "native"} for name, sizes in _PATCHES.items()},
    inputs=lambda c: _spatial.images(c, 2, c.channels),
    output=_columns,
    reference=_unfold,
    flops=lambda c: 0,
    backward_flops=_column_values,  # sums
    builders={
        "torch": torch_module("Unfold", _windows, channels_last=_spatial.torch_channels_last)
    },
    lacking=NO_KERAS,
)


FOLD = Layer(
    name="fold",
    family="reshaping",
    formula="y[c, a, b] = sum of what unfold would take from there",
    presets=_PATCHES,
    inputs=lambda c: {"x": normal(*_columns(c))},
    output=_map,
    reference=_fold,
    flops=_column_values,
    backward_flops=lambda c: 0,
    builders={
        "torch": torch_module("Fold", lambda c: {"output_size": c.size, **_windows(c)}),
    },
    lacking=NO_KERAS,
)
