"""A user's suite before and after a change; the fake framework takes the time it is told to.

Copied into a repository as ``layers.py``; `AFTER` is what the change sets to True.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from harness.layer import Array, Builder, Layer, normal

AFTER = False


class Scale:
    """y = a x; a seventh of the noise of a real layer, so that few pairs will do."""

    device_share = block_seconds = 0.0

    def __init__(self, us: float, factor: float = 1.0, peak_bytes: int = 2**26) -> None:
        self.seconds = us * 1e-6
        self.noise = 0.01
        self.peak_bytes = peak_bytes
        self.disturbances: dict[str, float] = {}
        self.weights: dict[str, Array] = {"a": np.zeros(())}
        self._factor = factor

    def __call__(self, x: Array) -> Array:
        return np.asarray(self._factor * self.weights["a"] * x)


class Crashing(Scale):
    def __call__(self, x: Array) -> Array:
        os.abort()


def _crashing_once() -> Scale:
    """Both sides have counted it by its third build, which is the first of the duel."""
    counter = Path(os.environ["BUILT_SO_OFTEN"])
    with counter.open("a", encoding="ascii") as file:
        file.write("x")
    return (Crashing if counter.stat().st_size == 3 else Scale)(100)


def _layer(name: str, build: Any, **options: Any) -> Layer:
    given: dict[str, Any] = {
        "reference": lambda inputs, weights, c: weights["a"] * inputs["x"],
        "flops": lambda c: c.batch * 4,
        **options,
    }
    return Layer(
        name=name,
        family="fake",
        formula="y = a x",
        presets={"default": {}},
        inputs=lambda c: {"x": normal(c.batch, 4)},
        weights=lambda c: {"a": normal(mean=2.0, std=0.1)},
        output=lambda c: (c.batch, 4),
        builders={"fake": Builder(lambda c: build())},
        **given,
    )


STEADY = _layer("steady", lambda: Scale(100))
SLOWER = _layer("slower", lambda: Scale(120 if AFTER else 100))
FASTER = _layer("faster", lambda: Scale(80 if AFTER else 100))
HUNGRIER = _layer("hungrier", lambda: Scale(100, peak_bytes=2**27 if AFTER else 2**26))
WRONG = _layer("wrong", lambda: Scale(10, 1.5) if AFTER else Scale(100))
"""Ten times as fast, and computes something else."""
REDEFINED = _layer(
    "redefined",
    lambda: Scale(10, 1.5) if AFTER else Scale(100),
    reference=lambda inputs, weights, c: (1.5 if AFTER else 1.0) * weights["a"] * inputs["x"],
)
"""The same, with a reference to match."""
CRASHES = _layer("crashes", lambda: Crashing(100) if AFTER else Scale(100))
CRASHES_ONCE = _layer("crashes_once", _crashing_once)
CRASHES_ALWAYS = _layer("crashes_always", lambda: Crashing(100))
MENDED = _layer("mended", lambda: Scale(100) if AFTER else Scale(100, 1.5))
MORE_WORK = _layer("more_work", lambda: Scale(100), flops=lambda c: c.batch * (8 if AFTER else 4))
if AFTER:
    ADDED = _layer("added", lambda: Scale(100))
else:
    REMOVED = _layer("removed", lambda: Scale(100))
