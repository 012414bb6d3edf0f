"""A user's suite for the fake framework: layers that behave, and layers that do not.

Declared exactly as the catalogue's, so that tests go the way a user's layers go.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import math
import mmap
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.checks import Allowed
from harness.devices.watch import Watch
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

    @property
    def disturbances(self) -> dict[str, float]:
        """Of the blocks that just ended."""
        return {}


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


def _hang_holding_the_gil() -> None:
    ctypes.PyDLL(None).sleep(600)


def _hang_deaf_to_sigterm() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def _run_out_of_memory() -> None:
    raise MemoryError("no room for 1 TiB")


def _ask_for_everything() -> None:
    np.ones(2**44, dtype=np.uint8)


def _ask_for_half_a_gibibyte() -> None:
    np.empty(2**29, dtype=np.uint8)


def _say_garbage() -> None:
    print("{this is not an answer}")
    sys.stdout.flush()


def _pipes() -> list[int]:
    """Those that a layer can find and is not meant to: from the parent, and to it."""
    return [number for number in range(3, 64) if _is_pipe(number)]


def _is_pipe(number: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(number).st_mode)
    except OSError:
        return False


def _write_to_the_parent(text: bytes, times: int) -> None:
    for pipe in _pipes():
        with contextlib.suppress(OSError):  # it is the one that the parent writes to
            for _ in range(times):
                os.write(pipe, text)


def _close_pipes() -> None:
    for pipe in _pipes():
        os.close(pipe)


def _close_pipes_and_go_on() -> None:
    _close_pipes()
    time.sleep(600)


def _flood(mebibytes: int) -> None:
    print("this is how it begins", flush=True)
    for _ in range(mebibytes):
        sys.stdout.buffer.write(b"x" * 2**20)
    print("\n\x1b[31mand these are\x1b[2J its last words", file=sys.stderr, flush=True)


def _flood_and_die() -> None:
    _flood(2**6)
    os.abort()


def _fork_a_sleeper() -> None:
    if os.fork() == 0:
        os.execlp("sleep", "sleep", os.environ["FAKE_SUITE_NAP"])


def _start_a_sleeper(**options: Any) -> None:
    """In a session of its own."""
    subprocess.Popen(["sleep", os.environ["FAKE_SUITE_NAP"]], start_new_session=True, **options)


def _start_a_sleeper_and_die() -> None:
    _start_a_sleeper()
    os._exit(1)


def _surroundings() -> tuple[Any, ...]:
    numbers = (signal.SIGALRM, signal.SIGTERM, signal.SIGINT)
    return (
        os.getcwd(),
        dict(os.environ),
        list(map(signal.getsignal, numbers)),
        signal.getitimer(signal.ITIMER_REAL),
        sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else (),
    )


_AS_THEY_WERE = _surroundings()


def _move_elsewhere() -> None:
    os.chdir("/")
    os.environ.clear()
    os.environ["OMP_NUM_THREADS"] = "64"


def _take_all_cores() -> None:
    if sys.platform == "linux":
        os.sched_setaffinity(0, range(os.cpu_count() or 1))


def _install_handlers() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, lambda *_: _raise())
    signal.setitimer(signal.ITIMER_REAL, 30)


def _look_around() -> None:
    if _surroundings() != _AS_THEY_WERE:
        raise ValueError(f"another layer has changed {_surroundings()}")


_spoilt = False


def _spoil_the_device() -> None:
    """As after an illegal memory access on CUDA: no later call in the process succeeds."""
    global _spoilt
    _spoilt = True
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


def _use_the_device() -> None:
    if _spoilt:
        _spoil_the_device()


def _run_out_of_the_devices_memory() -> None:
    raise RuntimeError("CUDA out of memory. Tried to allocate 80.00 GiB")


def _take_all_memory_in_small_pieces() -> None:
    held: list[list[int]] = []
    while True:
        held.append([])


def _share(mebibytes: int) -> None:
    """Takes memory that is no process's own, which RLIMIT_DATA does not count."""
    shared = mmap.mmap(-1, mebibytes * 2**20)
    for start in range(0, len(shared), 2**20):
        shared[start : start + 2**20] = bytes(2**20)
    time.sleep(600)


def _hold_in_children(mebibytes: int) -> None:
    """In three, each of which stays below what one process may take."""
    for _ in range(3):
        if os.fork() == 0:
            held = bytearray(os.urandom(2**20)) * mebibytes
            time.sleep(600)
            del held
    time.sleep(600)


def _leave_a_sleeper_and_hang() -> None:
    _start_a_sleeper()
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
    "realtime": lambda: os.kill(os.getpid(), 40),
    "sigkill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hang": lambda: time.sleep(600),
    "hang_native": _hang_holding_the_gil,
    "hang_deaf": _hang_deaf_to_sigterm,
    "memory_error": _run_out_of_memory,
    "too_much_memory": _ask_for_everything,
    "half_a_gibibyte": _ask_for_half_a_gibibyte,
    "garbage": _say_garbage,
    "read_input": lambda: sys.stdin.read(),
    "answer": lambda: _write_to_the_parent(b'{"wall_s": [1.0], "device_s": []}\n', 1),
    "endless_answer": lambda: _write_to_the_parent(b"x" * 2**20, 2**10),
    "many_answers": lambda: _write_to_the_parent(b"7 {}\n" * 2**17, 2**10),
    "close": _close_pipes,
    "close_and_go_on": _close_pipes_and_go_on,
    "flood": lambda: _flood(2**10),
    "flood_and_die": _flood_and_die,
    "fork": _fork_a_sleeper,
    "daemon": lambda: _start_a_sleeper(env={}),
    "daemon_and_die": _start_a_sleeper_and_die,
    "move": _move_elsewhere,
    "cores": _take_all_cores,
    "handlers": _install_handlers,
    "look": _look_around,
    "spoil": _spoil_the_device,
    "use": _use_the_device,
    "device_memory": _run_out_of_the_devices_memory,
    "half_a_gib": lambda: np.ones(2**29, dtype=np.uint8),
    "pieces": _take_all_memory_in_small_pieces,
    "shared": lambda: _share(400),
    "children": lambda: _hold_in_children(150),
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


class Bent(Scale):
    """A call of a millisecond, until the clock is bent at the n-th."""

    def __init__(self, seconds: Sequence[float], at: int) -> None:
        super().__init__(1e-3)
        self._then = list(seconds)
        self._left = at

    def __call__(self, x: Array) -> Array:
        self._left -= 1
        if self._left <= 1 and self._then:
            self.seconds = self._then.pop(0)
        return super().__call__(x)


CLOCKS = {
    "no_number": [math.nan],
    "infinite": [math.inf],
    "backward": [-1.0],
    # So late a nanosecond is less than the last digit of the clock.
    "still": [1e12, 0.0],
}
BENT_CLOCK = _layer(
    "bent_clock",
    lambda c: Bent(CLOCKS[c.kind], c.at),
    presets={"default": {"kind": "backward", "at": 40}},
)


def _compromise(kind: str) -> None:
    """Makes the worker answer the next request for blocks with a lie."""
    from harness import answers

    def lie(self: Any, calls: int, blocks: int) -> Any:
        sound = {"wall_s": [1e-3] * blocks, "device_s": []}
        lies: dict[str, Any] = {
            "nothing": {},
            "list": [sound],
            "few": {**sound, "wall_s": []},
            "text": {**sound, "wall_s": ["fast"] * blocks},
            "status": {"status": "splendid", "reason": ""},
        }
        return lies[kind]

    answers.Worker._run = lie  # type: ignore[method-assign]


class Lying(Scale):
    """Changes what its worker answers."""

    def __init__(self, kind: str) -> None:
        super().__init__(1e-3)
        self._kind = kind

    def __call__(self, x: Array) -> Array:
        _compromise(self._kind)
        return super().__call__(x)


LYING = _layer("lying", lambda c: Lying(c.kind), presets={"default": {"kind": "nothing"}})


class Disturbed(Scale):
    """A call of a millisecond, or of two while it is disturbed, which a kernel would tell."""

    def __init__(self, kind: str, amount: float, first: int, last: int) -> None:
        super().__init__(1e-3)
        self._told = {kind: amount}
        self._window = range(first, last + 1)
        self._calls = 0
        self._touched = False

    def __call__(self, x: Array) -> Array:
        self._calls += 1
        self._touched |= self._calls in self._window
        self.seconds = 2e-3 if self._calls + 1 in self._window else 1e-3
        return super().__call__(x)

    @property
    def disturbances(self) -> dict[str, float]:
        touched, self._touched = self._touched, False
        return dict(self._told) if touched else {}


DISTURBED = _layer(
    "disturbed",
    lambda c: Disturbed(c.kind, c.amount, c.first, c.last),
    presets={"default": {"kind": "waiting", "amount": 0.3, "first": 35, "last": 45}},
)


class Watched(Scale):
    """Computes for a millisecond a call, and tells what the kernel does."""

    def __init__(self) -> None:
        super().__init__(1e-3)
        self._watch = Watch(1)
        self._told = self._watch()

    def __call__(self, x: Array) -> Array:
        start = time.thread_time()
        while time.thread_time() - start < 1e-3:
            pass
        return super().__call__(x)

    @property
    def disturbances(self) -> dict[str, float]:
        told, self._told = self._told(), self._watch()
        return told


class Napping(Scale):
    """Sleeps once for half a second, by all other clocks, in whatever process comes first."""

    def __call__(self, x: Array) -> Array:
        told = Path(os.environ["FAKE_SUITE_FOLDER"]) / "napping"
        if not told.exists():
            told.touch()
            time.sleep(0.5)
        return super().__call__(x)


NAPPING = _layer("napping", lambda c: Napping(1e-3))
WATCHED = _layer("watched", lambda c: Watched())


def _later_faulty(c: Config) -> Scale:
    """Sound until it is built for the n-th time, in whatever process; and then to its n-th call."""
    return Faulty(c.kind, c.at) if _built() == c.build else Scale(1e-4)


LATER_WRONG = _layer(
    "later_wrong",
    lambda c: Doubled(1e-4) if _built() == c.build else Scale(1e-4),
    presets={"default": {"build": 4}},
)
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
EXITS_WHEN_PLANNED = _layer(
    "exits_when_planned",
    _scale,
    builders={"fake": Builder(_scale, unsupported=lambda c: sys.exit(0))},
)


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
