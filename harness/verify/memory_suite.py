"""A layer that touches memory of a known size inside a call, and gives it back before the end."""

from __future__ import annotations

from typing import Any

from harness.layer import Builder, Layer, normal


def _torch(_module: Any, c: Any, x: Any) -> Any:
    import torch

    return x * torch.ones(c.kib * 256)[0]


def _keras(_module: Any, c: Any, x: Any) -> Any:
    import tensorflow as tf

    return x * tf.ones(c.kib * 256)[0]


TEMPORARY = Layer(
    name="known_temporary",
    family="proof",
    formula="y = x, with a temporary of so many KiB",
    presets={"default": {"kib": 1024}},
    inputs=lambda c: {"x": normal(c.batch)},
    output=lambda c: (c.batch,),
    reference=lambda inputs, weights, c: inputs["x"],
    flops=lambda c: c.batch,
    builders={
        "torch": Builder(lambda c: None, call=_torch),
        "keras": Builder(lambda c: None, call=_keras),
    },
)
