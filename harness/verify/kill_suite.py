"""Layers for runs that are killed or last for hours: steady, crashing, leaving a process behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from harness.layer import Array, Builder, Layer, normal

CALL_US = 20
"""Of a call, by the fake framework's clock, if a sweep does not say."""


class _Fake:
    """y = x; see `harness.frameworks.fake.FakeModule`."""

    noise = 0.01
    block_seconds = 0.0
    device_share = 0.0
    peak_bytes = 4096
    disturbances: Mapping[str, float] = MappingProxyType({})

    def __init__(self, seconds: float, at_first: Callable[[], Any]) -> None:
        self.seconds = seconds
        self.weights: dict[str, Array] = {}
        self._at_first = at_first

    def __call__(self, x: Array) -> Array:
        self._at_first()
        self._at_first = lambda: None
        return np.asarray(x)

    def gradients(self, upstream: Array, x: Array) -> tuple[tuple[Array, ...], dict[str, Array]]:
        return (upstream,), {}


def _leave_a_process() -> None:
    """In a session of its own, which outlives whoever started it."""
    asleep = "import time; time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", asleep], start_new_session=True)


def _layer(name: str, at_first: Callable[[], Any]) -> Layer:
    return Layer(
        name=name,
        family="proof",
        formula="y = x",
        presets={"default": {"call_us": CALL_US}},
        inputs=lambda c: {"x": normal(c.batch, 4)},
        output=lambda c: (c.batch, 4),
        reference=lambda inputs, weights, c: inputs["x"],
        flops=lambda c: 0,
        builders={"fake": Builder(lambda c: _Fake(c.call_us * 1e-6, at_first))},
    )


STEADY = _layer("steady", lambda: None)
CRASHING = _layer("crashing", os.abort)
LEAVING = _layer("leaving", _leave_a_process)
