"""The references of recurrent layers put together of others, against those they are made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.layer import Array, Arrays, Config, Layer, canonical
from suites.recurrent import BIDIRECTIONAL, CELLS, CONV_LSTMS, GRU, LSTM, SIMPLE_RNN, STACKED

SINGLE = (SIMPLE_RNN, LSTM, GRU)
CONFIG = Config(2, 4, False, {"input_size": 3, "hidden_size": 2, "layers": 3})


def values(layer: Layer, c: Config) -> tuple[Arrays, Arrays]:
    """(inputs, weights), in float64."""

    def drawn(tensors: Arrays) -> Arrays:
        return {name: array.astype(np.float64) for name, array in tensors.items()}

    return (
        drawn(canonical(layer.name, layer.inputs(c))),
        drawn(canonical(layer.name, layer.weights(c))),
    )


def computed(layer: Layer, inputs: Arrays, weights: Arrays, c: Config = CONFIG) -> Array:
    assert layer.reference is not None
    return layer.reference(inputs, weights, c)


def named(weights: Arrays, prefix: str) -> Arrays:
    return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}


@pytest.mark.parametrize(("both", "single"), zip(BIDIRECTIONAL, SINGLE, strict=True))
def test_both_ways_are_the_layer_and_the_layer_on_what_is_turned_round(
    both: Layer, single: Layer
) -> None:
    inputs, weights = values(both, CONFIG)
    y = computed(both, inputs, weights)
    turned = {"x": inputs["x"][:, ::-1]}
    np.testing.assert_array_equal(y[..., :2], computed(single, inputs, named(weights, "forward_")))
    backward = computed(single, turned, named(weights, "backward_"))
    np.testing.assert_array_equal(y[..., 2:], backward[:, ::-1])


@pytest.mark.parametrize(("stacked", "single"), zip(STACKED, SINGLE, strict=True))
def test_each_layer_of_a_stack_reads_the_one_below(stacked: Layer, single: Layer) -> None:
    inputs, weights = values(stacked, CONFIG)
    y = inputs["x"]
    for layer in range(3):
        y = computed(single, {"x": y}, named(weights, f"layer{layer}_"))
    np.testing.assert_array_equal(computed(stacked, inputs, weights), y)


@pytest.mark.parametrize(("cell", "single"), zip(CELLS, SINGLE, strict=True))
def test_a_cell_from_a_zero_state_is_the_first_step(cell: Layer, single: Layer) -> None:
    inputs, weights = values(single, CONFIG)
    first = {name: np.zeros(tensor.shape) for name, tensor in cell.inputs(CONFIG).items()}
    first["x"] = inputs["x"][:, 0]
    expected = computed(single, inputs, weights)[:, 0]
    np.testing.assert_allclose(computed(cell, first, weights), expected, rtol=1e-14)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_with_kernels_of_one_pixel_each_pixel_has_an_lstm_of_its_own(rank: int) -> None:
    layer = CONV_LSTMS[rank - 1]
    params = {"channels": 3, "filters": 2, "kernel": 1, "size": 2, "layout": "native"}
    c = replace(CONFIG, params=params)
    inputs, weights = values(layer, c)
    y = computed(layer, inputs, weights, c)
    pixel = (0,) * (rank - 1) + (1,)
    flat = {name: w.reshape(w.shape[-2:] if w.ndim > 1 else -1) for name, w in weights.items()}
    of_pixel = {"x": inputs["x"][(slice(None),) * 3 + pixel]}
    np.testing.assert_allclose(
        y[(slice(None),) * 3 + pixel], computed(LSTM, of_pixel, flat), rtol=1e-12
    )


def test_a_conv_lstm_sees_beyond_its_pixel_by_half_the_kernel_a_step() -> None:
    c = replace(
        CONFIG,
        batch=1,
        params={"channels": 1, "filters": 1, "kernel": 3, "size": 9, "layout": "native"},
    )
    inputs, weights = values(CONV_LSTMS[0], c)
    moved = {"x": inputs["x"].copy()}
    moved["x"][0, 0, 0, 4] += 1
    change = computed(CONV_LSTMS[0], moved, weights, c) - computed(
        CONV_LSTMS[0], inputs, weights, c
    )
    reached = [int(np.count_nonzero(step)) for step in change[0, :, 0]]
    assert reached == [3, 5, 7, 9]
