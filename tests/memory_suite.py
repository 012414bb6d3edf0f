"""A layer whose peak memory is known: one temporary and one output, each as large as the input."""

from typing import Any

from harness.layer import Builder, Layer, normal


def _twice(_module: Any, _config: Any, x: Any) -> Any:
    return (x + 1.0) * 2.0


TEMPORARY = Layer(
    name="temporary",
    family="test",
    formula="y = 2 (x + 1)",
    presets={"default": {"elements": 2**20}},
    inputs=lambda c: {"x": normal(c.batch, c.elements)},
    output=lambda c: (c.batch, c.elements),
    flops=lambda c: 2 * c.batch * c.elements,
    reference=lambda inputs, weights, c: 2 * (inputs["x"] + 1),
    builders={name: Builder(lambda c: None, call=_twice) for name in ("torch", "keras")},
)
