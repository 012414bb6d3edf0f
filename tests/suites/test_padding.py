"""Padding and cropping, on lines that one can check."""

from __future__ import annotations

import numpy as np
import pytest

from harness.layer import Array, Config, Layer
from harness.types import UsageError, Value
from suites.padding import CROPPINGS, PADDINGS

LAYERS = {layer.name: layer for layer in (*PADDINGS, *CROPPINGS)}


def config(layer: Layer, **params: Value) -> Config:
    return Config(2, None, False, {**layer.presets["textbook"], **params})


def applied(name: str, x: Array, **params: Value) -> Array:
    layer = LAYERS[name]
    c = config(layer, channels=x.shape[1], size=x.shape[-1], **params)
    assert layer.reference is not None
    output = layer.reference({"x": x}, {}, c)
    assert output.shape == layer.output(c)
    return output


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("zero", [0, 0, 1, 2, 3, 0, 0]),
        ("constant", [0.5, 0.5, 1, 2, 3, 0.5, 0.5]),
        ("replication", [1, 1, 1, 2, 3, 3, 3]),
        ("reflection", [3, 2, 1, 2, 3, 2, 1]),
        ("circular", [2, 3, 1, 2, 3, 1, 2]),
    ],
)
def test_what_stands_outside(kind: str, expected: list[float]) -> None:
    line = np.array([[[1.0, 2.0, 3.0]]] * 2)
    np.testing.assert_array_equal(applied(f"{kind}_pad1d", line, padding=2)[0, 0], expected)
    square = np.array([[np.outer([1.0, 2.0, 3.0], np.ones(3))]] * 2)
    padded = applied(f"{kind}_pad2d", square, padding=2)
    np.testing.assert_array_equal(padded[0, 0, :, 3], expected)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_cropping_takes_padding_away(rank: int) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, *(4,) * rank))
    padded = applied(f"circular_pad{rank}d", x, padding=2)
    np.testing.assert_array_equal(applied(f"cropping{rank}d", padded, cropping=2), x)


def test_a_backward_pass_adds_once_for_each_copy() -> None:
    layer = LAYERS["replication_pad2d"]
    c = config(layer, channels=3, size=4, padding=1)
    assert layer.backward_flops is not None
    assert layer.backward_flops(c) == 2 * 3 * (6 * 6 - 4 * 4)
    assert layer.flops(c) == 0


def test_what_is_cropped_need_not_be_read() -> None:
    layer = LAYERS["cropping2d"]
    assert layer.traffic is not None
    assert layer.traffic(config(layer, channels=3, size=6, cropping=1), 4) == 2 * 4 * 2 * 3 * 4 * 4


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("reflection_pad1d", {"size": 4, "padding": 4}, "padding = 4 is more than 3"),
        ("circular_pad2d", {"size": 4, "padding": 5}, "padding = 5 is more than 4"),
        ("cropping3d", {"size": 4, "cropping": 2}, "cropping = 2 leaves nothing of size = 4"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    name: str, params: dict[str, Value], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        LAYERS[name].inputs(config(LAYERS[name], **params))


def test_only_keras_cropping_lacks_a_layout_of_one_axis() -> None:
    first: dict[str, Value] = {"layout": "channels_first"}
    reasons = {
        name: LAYERS[name].builders["keras"].unsupported(config(LAYERS[name], **first))
        for name in ("cropping1d", "cropping2d", "zero_pad1d")
    }
    assert [name for name, reason in reasons.items() if reason] == ["cropping1d"]
