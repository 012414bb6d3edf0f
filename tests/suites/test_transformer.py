"""The references of the transformer layers: who reads whom, and how much work that is."""

from __future__ import annotations

import numpy as np
import pytest

from harness import catalogue
from harness.layer import Array, Arrays, Config, Layer, canonical

LAYERS = {k: v for k, v in catalogue.load().items() if v.family == "transformer"}
PARAMS = {"heads": 2, "head_dim": 4, "feedforward": 12, "layers": 2}
CONFIG = Config(2, 5, False, PARAMS)


def drawn(layer: Layer) -> tuple[dict[str, Array], dict[str, Array]]:
    """(inputs, weights), in float64."""
    inputs, weights = (
        {name: array.astype(np.float64) for name, array in canonical(layer.name, kind).items()}
        for kind in (layer.inputs(CONFIG), layer.weights(CONFIG))
    )
    return inputs, weights


def output(layer: Layer, inputs: Arrays, weights: Arrays) -> Array:
    assert layer.reference is not None
    return layer.reference(inputs, weights, CONFIG)


def reached(layer: Layer, name: str, position: int) -> list[bool]:
    """Which positions of the output move when that of an input does."""
    inputs, weights = drawn(layer)
    before = output(layer, inputs, weights)
    inputs[name] = inputs[name].copy()
    inputs[name][:, position] += 1
    moved: list[bool] = (output(layer, inputs, weights) != before).any(axis=(0, 2)).tolist()
    return moved


@pytest.mark.parametrize(
    "name", ["transformer_decoder_layer", "transformer_decoder", "transformer"]
)
def test_no_position_of_the_target_is_seen_by_an_earlier_one(name: str) -> None:
    assert reached(LAYERS[name], "target", 2) == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("transformer_encoder_layer", "source"),
        ("transformer_encoder", "source"),
        ("transformer_decoder_layer", "memory"),
        ("transformer_decoder", "memory"),
        ("transformer", "source"),
    ],
)
def test_all_positions_of_what_is_encoded_are_seen_by_all(name: str, read: str) -> None:
    assert all(reached(LAYERS[name], read, 4))


@pytest.mark.parametrize("kind", ["encoder", "decoder"])
def test_a_stack_is_its_layers_one_after_the_other(kind: str) -> None:
    stack, layer = LAYERS[f"transformer_{kind}"], LAYERS[f"transformer_{kind}_layer"]
    inputs, weights = drawn(stack)
    x = dict(inputs)
    for number in range(2):
        of_layer = {name: values[number : number + 1] for name, values in weights.items()}
        x[next(iter(x))] = output(layer, x, of_layer)
    np.testing.assert_array_equal(output(stack, inputs, weights), next(iter(x.values())))


def test_the_base_model_has_the_work_of_its_kernels_and_scores() -> None:
    """4 kernels of 512 x 512 and 2 of 512 x 2048; scores and mixtures of 64 positions."""
    layer = LAYERS["transformer_encoder_layer"]
    assert layer.products is not None
    c = Config(2, 64, False, layer.presets["transformer_base"])
    kernels = 4 * 512 * 512 + 2 * 512 * 2048
    assert layer.products(c) == 2 * (2 * 64) * kernels + 2 * (2 * 64 * 64 * 512) * 2
