"""A user's suite for the fake framework: layers that behave, and layers that do not.

Declared exactly as the catalogue's, so that tests go the way a user's layers go.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.checks import Allowed
from harness.layer import Array, Builder, Config, Layer, normal


class Scale:
    """y = a x, with gradients written out; takes what time it is told to."""

    def __init__(
        self,
        seconds: float,
        noise: float = 0.0,
        block_seconds: float = 0.0,
        device_share: float = 0.0,
        peak_bytes: int = 4096,
    ) -> None:
        self.seconds = seconds
        self.noise = noise
        self.block_seconds = block_seconds
        self.device_share = device_share
        self.peak_bytes = peak_bytes
        self.weights: dict[str, Array] = {"a": np.zeros(())}

    def __call__(self, x: Array) -> Array:
        return np.asarray(self.weights["a"] * x)

    def gradients(self, upstream: Array, x: Array) -> tuple[tuple[Array, ...], dict[str, Array]]:
        a = self.weights["a"]
        return (a * upstream,), {"a": np.asarray(np.vdot(upstream, x))}


class WrongGradient(Scale):
    def gradients(self, upstream: Array, x: Array) -> tuple[tuple[Array, ...], dict[str, Array]]:
        of_inputs, of_weights = super().gradients(upstream, x)
        return of_inputs, {"a": of_weights["a"] * 1.01}


def _layer(name: str, build: Any, **options: Any) -> Layer:
    settings: dict[str, Any] = {
        "presets": {"default": {"us": 20}},
        "builders": {"fake": Builder(build)},
        **options,
    }
    return Layer(
        name=name,
        family="fake",
        formula="y = a x",
        inputs=lambda c: {"x": normal(c.batch, (c.length or 1), 4)},
        weights=lambda c: {"a": normal(mean=2.0, std=0.1)},
        output=lambda c: (c.batch, (c.length or 1), 4),
        flops=lambda c: c.batch * (c.length or 1) * 4,
        reference=lambda inputs, weights, c: weights["a"] * inputs["x"],
        **settings,
    )


def _scale(c: Config) -> Scale:
    return Scale(c.us * 1e-6)


SCALE = _layer("scale", _scale)
SEQUENCE = _layer("sequence", _scale, has_seq=True)
NOISY = _layer("noisy", lambda c: Scale(c.us * 1e-6, noise=0.5))
TRAINING_ONLY = _layer(
    "training_only", _scale, not_applicable=lambda c: "" if c.training else "only in training"
)
NO_BUILDER = _layer("no_builder", _scale, builders={})
LACKING = _layer("lacking", _scale, builders={}, lacking={"fake": "the fake has no such kernel"})
WRONG_GRADIENT = _layer("wrong_gradient", lambda c: WrongGradient(1e-5))


class Doubled(Scale):
    def __call__(self, x: Array) -> Array:
        return 2 * super().__call__(x)


WRONG_OUTPUT = _layer("wrong_output", lambda c: Doubled(1e-5))


class Changing(Scale):
    """Takes another time from its n-th call on."""

    def __init__(self, seconds: float, factor: float, at: int) -> None:
        super().__init__(seconds)
        self._factor = factor
        self._left = at

    def __call__(self, x: Array) -> Array:
        self._left -= 1
        if self._left == 0:
            self.seconds *= self._factor
        return super().__call__(x)


def _built() -> int:
    """How often a layer that asks this was built before, in whatever process."""
    counter = Path(os.environ["FAKE_SUITE_FOLDER"]) / "built"
    with counter.open("a") as file:
        file.write("x")
    return len(counter.read_text())


QUEUED = _layer("queued", lambda c: Scale(1e-8, block_seconds=2e-3))
"""Only asks for its work, which is then done once, whatever the number of calls."""
BUSY_DEVICE = _layer("busy_device", lambda c: Scale(1e-4, noise=0.02, device_share=1.1))
CHANGING = _layer(
    "changing",
    lambda c: Changing(1e-3, c.factor, c.at),
    presets={"default": {"factor": 0.9, "at": 44}},
)
UNLIKE_PASSES = _layer("unlike_passes", lambda c: Scale(1e-4 * (1.5 if _built() == 1 else 1)))
SHRINKING = _layer("shrinking", lambda c: Scale(1e-3 / c.batch))
GROWING = _layer("growing", lambda c: Scale(1e-4 * c.batch))
DEVICE_GROWING = _layer(
    "device_growing", lambda c: Scale(1e-4 * c.batch, noise=0.02, device_share=1.0)
)
TOO_FAST = replace(_layer("too_fast", _scale), flops=lambda c: 10**8)


def _raise() -> None:
    raise ValueError("this layer always raises")


def _segfault() -> None:
    ctypes.string_at(0)


def _run_out_of_memory() -> None:
    raise MemoryError("no room for 1 TiB")


def _ask_for_everything() -> None:
    np.ones(2**44, dtype=np.uint8)


def _say_garbage() -> None:
    print("{this is not an answer}")
    sys.stdout.flush()


def _fork_a_sleeper() -> None:
    if os.fork() == 0:
        os.execlp("sleep", "sleep", "300.125")


def _start_a_sleeper_of_its_own() -> None:
    subprocess.Popen(["sleep", "300.125"], start_new_session=True)


def _leave_a_sleeper_and_hang() -> None:
    _start_a_sleeper_of_its_own()
    time.sleep(600)


class _Unreadable(BaseException):
    def __str__(self) -> str:
        raise ZeroDivisionError


def _raise_what_cannot_be_read() -> None:
    raise _Unreadable


def _raise_colours() -> None:
    raise ValueError("\x1b[31mred\x1b[0m \u202e backward")


def _talk_of_memory_and_segfault() -> None:
    print("not out of memory yet")
    _segfault()


def _unsupported() -> None:
    raise NotImplementedError("no kernel for this")


def _hold_a_collector() -> None:
    if gc.isenabled():
        raise ValueError("the garbage collector may run")


FAULTS = {
    "raise": _raise,
    "exit": lambda: sys.exit(3),
    "os_exit": lambda: os._exit(0),
    "segfault": _segfault,
    "abort": os.abort,
    "sigkill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hang": lambda: time.sleep(600),
    "memory_error": _run_out_of_memory,
    "too_much_memory": _ask_for_everything,
    "garbage": _say_garbage,
    "read_input": lambda: sys.stdin.read(),
    "fork": _fork_a_sleeper,
    "daemon": _start_a_sleeper_of_its_own,
    "leave_and_hang": _leave_a_sleeper_and_hang,
    "unreadable": _raise_what_cannot_be_read,
    "colours": _raise_colours,
    "talk": _talk_of_memory_and_segfault,
    "unsupported": _unsupported,
    "collector": _hold_a_collector,
}


class Faulty(Scale):
    """Goes wrong at its n-th call."""

    def __init__(self, kind: str, at: int) -> None:
        super().__init__(1e-4)
        self._kind = kind
        self._left = at

    def __call__(self, x: Array) -> Array:
        self._left -= 1
        if self._left == 0:
            FAULTS[self._kind]()
        return super().__call__(x)


FAULT = _layer(
    "fault",
    lambda c: Faulty(c.kind, c.at),
    presets={"default": {"kind": "raise", "at": 1}},
)


def _later_faulty(c: Config) -> Scale:
    """Sound until it is built for the n-th time, in whatever process; and then to its n-th call."""
    return Faulty(c.kind, c.at) if _built() == c.build else Scale(1e-4)


LATER_FAULT = _layer(
    "later_fault", _later_faulty, presets={"default": {"kind": "segfault", "build": 3, "at": 1}}
)
NUMPY_COUNTS = replace(
    _layer("numpy_counts", _scale),
    flops=lambda c: np.int64(8),
    backward_flops=lambda c: np.float64(16),
    traffic=lambda c, item: np.int32(9 * item),
    reference=None,
    check=lambda seen, c, tolerance: np.float32(0.25),
)
NAN_CHECK = replace(
    _layer("nan_check", _scale), reference=None, check=lambda seen, c, tolerance: np.nan
)
ZERO = replace(_layer("zero", _scale), weights=lambda c: {"a": normal(mean=0.0, std=0.0)})
WRONG_SHAPE = replace(_layer("wrong_shape", _scale), output=lambda c: (c.batch, 4))
NEEDS_SEQ = _layer("needs_seq", _scale, not_applicable=lambda c: "short" if c.seq < 2 else "")
RAISES_WHEN_PLANNED = _layer("raises_when_planned", _scale, not_applicable=lambda c: 1 / 0)


def _power(c: Config) -> Scale:
    """Time and memory that grow with the length by a known law, in µs and MiB."""
    us = c.us * c.seq**c.power + c.overhead
    return Scale(us * 1e-6, c.noise, peak_bytes=int((c.mib * c.seq**c.power + 8) * 2**20))


POWER_LAW = _layer(
    "power_law",
    _power,
    has_seq=True,
    presets={"default": {"us": 1.0, "power": 1.0, "overhead": 0.0, "noise": 0.0, "mib": 1.0}},
)


class Limited(Scale):
    """Runs out of memory, or goes wrong otherwise, above a size; training takes three times it."""

    def __init__(self, size: int, limit: int, kind: str) -> None:
        super().__init__(1e-5, peak_bytes=size * 2**20)
        self._fault = FAULTS[kind] if size > limit else None

    def __call__(self, x: Array) -> Array:
        if self._fault:
            self._fault()
        return super().__call__(x)


LIMITED = _layer(
    "limited",
    lambda c: Limited(c.batch * c.seq * (3 if c.training else 1), c.limit, c.kind),
    has_seq=True,
    presets={"default": {"limit": 21, "kind": "memory_error"}},
    allowed={"limit": Allowed(least=0)},
)
HOARD = replace(
    _layer("hoard", _scale, has_seq=True),
    inputs=lambda c: {"x": normal(c.batch, c.seq, 2**18)},
    output=lambda c: (c.batch, c.seq, 2**18),
)
