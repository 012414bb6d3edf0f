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

from harness.layer import Array, Builder, Config, Layer, normal


class Scale:
    """y = a x, with gradients written out; takes what time it is told to."""

    def __init__(self, seconds: float, noise: float = 0.0) -> None:
        self.seconds = seconds
        self.noise = noise
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
WRONG_GRADIENT = _layer("wrong_gradient", lambda c: WrongGradient(1e-5))


class Doubled(Scale):
    def __call__(self, x: Array) -> Array:
        return 2 * super().__call__(x)


WRONG_OUTPUT = _layer("wrong_output", lambda c: Doubled(1e-5))


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
    counter = Path(os.environ["FAKE_SUITE_FOLDER"]) / "built"
    with counter.open("a") as file:
        file.write("x")
    return Faulty(c.kind, c.at) if len(counter.read_text()) == c.build else Scale(1e-4)


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
