"""A layer that goes wrong as real frameworks do."""

from __future__ import annotations

import ctypes
from typing import Any

from harness.layer import Builder, Layer, normal

GIBIBYTES = 6


def _raise(x: Any) -> None:
    raise ValueError("this layer always raises")


def _take_memory(x: Any) -> Any:
    """More than its worker may take, in the framework's own tensors."""
    elements = GIBIBYTES * 2**28
    if type(x).__module__.startswith("torch"):
        return x.new_empty(elements)
    import tensorflow as tf

    return tf.zeros([elements])


FAULTS = {
    "none": lambda x: None,
    "sound": lambda x: None,
    "raise": _raise,
    "memory": _take_memory,
    "segfault": lambda x: ctypes.string_at(0),
    "hang": lambda x: ctypes.PyDLL(None).sleep(600),
    "gpu_memory": lambda x: x.new_empty(2**42),
    "gpu_error": lambda x: x[x.new_full((1,), 2**20).long()],
}


def _call(_module: Any, config: Any, x: Any) -> Any:
    FAULTS[config.kind](x)
    return x + 1.0


FAULTY = Layer(
    name="faulty",
    family="test",
    formula="y = x + 1",
    presets={"default": {"kind": "none"}},
    inputs=lambda c: {"x": normal(c.batch, 4)},
    output=lambda c: (c.batch, 4),
    flops=lambda c: c.batch * 4,
    reference=lambda inputs, weights, c: inputs["x"] + 1,
    builders={name: Builder(lambda c: None, call=_call) for name in ("torch", "keras")},
)
