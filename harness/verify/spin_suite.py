"""Layers of known cost: one that spins until a deadline, and one that does nothing."""

from __future__ import annotations

import time
from typing import Any

from harness.layer import Builder, Layer, normal

CALIBRATIONS = 100
CALIBRATION_CALLS = 100
CALIBRATION_S = 5e-6
"""Of a call. What a call adds does not depend on its length, and short loops are disturbed less."""


class Spin:
    """Returns its argument so many seconds after it was called, calls in a bare loop included.

    What a call costs beyond the deadline (entering the function, the last look at the clock) is
    measured at the start, in a loop that knows nothing of the harness, and taken off the deadline.
    The least that was seen counts, as disturbances only lengthen a loop.
    """

    def __init__(self, seconds: float) -> None:
        self.until_s = CALIBRATION_S
        self.until_s = seconds - min(self._excess() for _ in range(CALIBRATIONS))

    def _excess(self) -> float:
        start = time.perf_counter()
        for _ in range(CALIBRATION_CALLS):
            _spin(self, None, None)
        return (time.perf_counter() - start) / CALIBRATION_CALLS - CALIBRATION_S


def _spin(spin: Spin, _c: Any, x: Any) -> Any:
    deadline = time.perf_counter() + spin.until_s
    while time.perf_counter() < deadline:
        pass
    return x


def _layer(name: str, formula: str, builder: Builder, **preset: int) -> Layer:
    return Layer(
        name=name,
        family="proof",
        formula=formula,
        presets={"default": preset},
        inputs=lambda c: {"x": normal(c.batch)},
        output=lambda c: (c.batch,),
        reference=lambda inputs, weights, c: inputs["x"],
        flops=lambda c: 0,
        builders={"torch": builder},
    )


SPIN = _layer(
    "spin", "y = x, after so long", Builder(lambda c: Spin(c.us * 1e-6), call=_spin), us=1000
)
EMPTY = _layer("empty", "y = x", Builder(lambda c: None, call=lambda module, c, x: x))
