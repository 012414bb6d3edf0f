"""The declared work of attention grows as its declared complexity says."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from harness import catalogue
from harness.layer import Config, Layer
from harness.types import Value

FAMILIES = ("attention", "sparse_attention", "linear_attention")
LAYERS = catalogue.load()
STATED = [layer for layer in LAYERS.values() if layer.complexity]
LONG = 2**15
"""So long that the highest power of the length rules."""
LARGE = 64
"""Of a parameter: beside it what the complexity leaves out is small, and it beside the length."""
NAMES = [
    pytest.param(layer, name, id=f"{layer.name}-{name}")
    for layer in STATED
    for name, value in layer.presets["textbook"].items()
    if type(value) is int
]


def said(layer: Layer, sizes: Mapping[str, Value]) -> float:
    """What stands within the brackets of ``O(...)``, as a number."""
    text = layer.complexity.removeprefix("O(").removesuffix(")")
    for sign, operator in (("·", "*"), ("²", "**2"), ("³", "**3")):
        text = text.replace(sign, operator)
    return float(eval(text, {"__builtins__": {}}, dict(sizes)))


def beyond(layer: Layer, sizes: Mapping[str, Value], doubled: str) -> float:
    """By which factor the declared work grows more than the complexity if one size doubles."""
    larger = {**sizes, doubled: 2 * int(sizes[doubled])}

    def work(of: Mapping[str, Value]) -> int:
        params = {name: value for name, value in of.items() if name != "seq"}
        return layer.flops(Config(1, int(of["seq"]), False, params))

    return work(larger) / work(sizes) / (said(layer, larger) / said(layer, sizes))


def test_every_layer_of_attention_states_its_complexity() -> None:
    assert {layer.name for layer in LAYERS.values() if layer.family in FAMILIES} <= {
        layer.name for layer in STATED
    }


@pytest.mark.parametrize("layer", STATED, ids=lambda layer: layer.name)
def test_work_at_twice_the_length_is_as_much_more_as_the_complexity_says(layer: Layer) -> None:
    sizes = {"seq": LONG, **layer.presets["textbook"]}
    assert beyond(layer, sizes, "seq") == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(("layer", "name"), NAMES)
def test_work_grows_with_each_parameter_to_the_power_that_the_complexity_has(
    layer: Layer, name: str
) -> None:
    """Constants are left out of sums, so only another power is told, which is twice or half."""
    sizes = {"seq": LONG, **layer.presets["textbook"], name: LARGE}
    assert 1 / 1.6 < beyond(layer, sizes, name) < 1.6
