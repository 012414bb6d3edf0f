"""Softmax and its kin: along an axis, each value depends on all.

Counting: exp, the sum, and the division or subtraction. The logarithm is once a row, and the
maximum that is taken away first is no part of the formula. Backward g y - y (sum of g y), or
g - y (sum of g).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, normal
from suites import _spatial
from suites._builders import keras_activation, keras_layer, torch_module
from suites._lacking import NO_KERAS, NO_TORCH


def _softmax(x: Array, axis: int = -1) -> Array:
    e = np.exp(x - x.max(axis, keepdims=True))
    y: Array = e / e.sum(axis, keepdims=True)
    return y


def _log_softmax(x: Array) -> Array:
    shifted = x - x.max(-1, keepdims=True)
    y: Array = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return y


def _sparsemax(x: Array) -> Array:
    """The point of the simplex that is next to x. Source: arXiv:1602.02068, algorithm 1."""
    largest_first = -np.sort(-x)
    surplus = largest_first.cumsum(-1) - 1
    rank = np.arange(1, x.shape[-1] + 1)
    support = (rank * largest_first > surplus).sum(-1, keepdims=True)
    threshold = np.take_along_axis(surplus, support - 1, -1) / support
    y: Array = np.maximum(x - threshold, 0)
    return y


def _wrong_in_keras(_c: Config) -> str:
    """Its threshold is from the sum of all partial sums: github.com/keras-team/keras/pull/23469."""
    major, minor = version("keras").split(".")[:2]
    if (int(major), int(minor)) <= (3, 15):
        return "sparsemax of Keras up to 3.15 does not sum to 1, as it takes a wrong threshold"
    return ""


def _of_rows(
    name: str,
    formula: str,
    function: Callable[[Array], Array],
    torch: Builder | None,
    keras: Builder | None,
    operations: tuple[int, int] = (3, 4),
    source: str = "",
) -> Layer:
    """Along the last axis; `operations` are those a value, of a forward and a backward pass."""
    builders = {"torch": torch, "keras": keras}
    forward, backward = operations
    return Layer(
        name=name,
        family="activation",
        formula=formula,
        presets={
            "textbook": {"features": 64},
            "gpt2_vocabulary": {"features": 50257},  # Radford et al. (2019), section 2.3
        },
        inputs=lambda c: {"x": normal(c.batch, c.features)},
        output=lambda c: (c.batch, c.features),
        reference=lambda inputs, weights, c: function(inputs["x"]),
        flops=lambda c: forward * c.batch * c.features,
        backward_flops=lambda c: backward * c.batch * c.features,
        terms=lambda c: int(c.features),
        builders={framework: builder for framework, builder in builders.items() if builder},
        lacking={**({} if torch else NO_TORCH), **({} if keras else NO_KERAS)},
        source=source,
    )


def _last(c: Config) -> dict[str, int]:
    return {"dim": -1}


OF_ROWS = (
    _of_rows(
        "softmax", "y = exp(x) / sum of exp(x)", _softmax,
        torch_module("Softmax", _last), keras_layer("Softmax"),
    ),
    _of_rows(
        "log_softmax", "y = x - log(sum of exp(x))", _log_softmax,
        torch_module("LogSoftmax", _last), keras_activation("log_softmax"),
    ),
    _of_rows(
        "softmin", "y = exp(-x) / sum of exp(-x)", lambda x: _softmax(-x),
        torch_module("Softmin", _last), None, operations=(4, 5),
    ),
    # Counted without the sort, which has no agreed count: sum, comparison, difference, maximum.
    _of_rows(
        "sparsemax", "y = max(x - t, 0), with t such that the sum of y is 1", _sparsemax,
        None, replace(keras_activation("sparsemax"), unsupported=_wrong_in_keras),
        operations=(4, 3), source="Martins and Astudillo (2016), arXiv:1602.02068",
    ),
)  # fmt: skip


def _softmax2d(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    return _softmax(inputs["x"], axis=1)


def _values(c: Config) -> int:
    return int(c.batch * c.channels * c.size**2)


SOFTMAX2D = Layer(
    name="softmax2d",
    family="activation",
    formula="y = exp(x) / sum of exp(x) over the channels, a pixel at a time",
    presets={
        "textbook": {"channels": 8, "size": 16, "layout": "native"},
        # The classes of PASCAL VOC at output stride 8: Chen et al. (2017), arXiv:1706.05587.
        "deeplabv3_voc": {"channels": 21, "size": 65, "layout": "native"},
    },
    inputs=lambda c: _spatial.images(c, 2, c.channels),
    output=lambda c: _spatial.shape(c, 2, c.channels, c.size),
    reference=_softmax2d,
    flops=lambda c: 3 * _values(c),
    backward_flops=lambda c: 4 * _values(c),
    terms=lambda c: int(c.channels),
    builders={
        "torch": torch_module("Softmax2d", channels_last=_spatial.torch_channels_last),
        "keras": keras_layer(
            "Softmax",
            lambda c: {"axis": 1 if _spatial.keras_data_format(c) == "channels_first" else -1},
            inputs=_spatial.keras_inputs,
            output=_spatial.keras_output,
        ),
    },
)
