"""Layers of the catalogue that do so much more work a call, for the proof of the gate's power.

The proof writes a suite for each side, which asks for `layers`; the work is a bare loop, so many
times around, as exact as a machine can be asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness import catalogue
from harness.layer import Builder, Config, Layer

PREFIX = "slowed_"


def layers(extra: Mapping[str, int]) -> dict[str, Layer]:
    """The layers by name.

    Args:
        extra: rounds of the loop in each call, by layer and mode as in ``lstm/train``; the mode is
            ``train`` or ``forward``.
    """
    known = catalogue.load()
    names = dict.fromkeys(key.partition("/")[0] for key in extra)
    return {f"{PREFIX}{name}": _slowed(known[name], extra) for name in names}


def _slowed(layer: Layer, extra: Mapping[str, int]) -> Layer:
    builder = layer.builders["torch"]

    def call(module: Any, c: Config, *tensors: Any) -> Any:
        for _ in range(extra.get(f"{layer.name}/{'train' if c.training else 'forward'}", 0)):
            pass
        return builder.call(module, c, *tensors)

    built: dict[str, Builder] = {"torch": replace(builder, call=call)}
    return replace(layer, name=f"{PREFIX}{layer.name}", builders=built)
