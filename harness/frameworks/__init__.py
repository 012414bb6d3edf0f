"""Frameworks: how a case is prepared and called in each, found by name in this folder.

Another distribution adds one through the entry point group ``layerbench.frameworks``: a name,
and an object that satisfies `Framework`.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from harness.devices.memory import PeakMemory
from harness.devices.watch import Told
from harness.layer import Builder, Config
from harness.probes.latency import Clocks
from harness.probes.parity import Outcome
from harness.problem import Problem
from harness.profilers import Execution, Parts, Trace
from harness.types import Case, UsageError

LEARNING_RATE = 1e-9
"""Of the SGD update in train mode: so small that a million updates leave the weights as they are,
because a layer whose weights run off to infinity is not the layer that was checked."""


class UnsupportedError(Exception):
    """The framework cannot run the case; the message says why."""


@dataclass(frozen=True)
class Step:
    """A prepared case: weights and inputs are on the device, only the work remains.

    Attributes:
        open: traces or compiles what the mode needs, and returns the call that is timed.
        outcome: what the last result of that call holds, for the parity check.
        parameter_bytes: of weights and state.
        input_bytes: of the inputs, and of the upstream gradient where there is one.
        notes: takes the sentences the framework has to say about how the case was run.
    """

    open: Callable[[], Callable[[], Any]]
    outcome: Callable[[Any], Outcome]
    parameter_bytes: int
    input_bytes: int
    notes: Callable[[], tuple[str, ...]] = tuple


@dataclass(frozen=True)
class CeilingCalls:
    """Calls that show what the machine can do in this framework.

    Attributes:
        matmul: n -> a product of two n×n matrices.
        stream: bytes -> a += b over arrays of that size together: two reads and one write of
            half of it.
    """

    matmul: Callable[[int], Callable[[], Any]]
    stream: Callable[[int], Callable[[], Any]]


class Framework(Clocks, Protocol):
    """One framework on one device, in a worker process of its own.

    Only `environment`, `unsupported` and the plain attributes may be used outside a worker:
    they do not import the framework.
    """

    name: str
    module: str
    """What has to be importable for the framework to be there."""
    builder: str
    """Which of a layer's builders it uses."""
    for_tests: bool
    """Left out of lists and of ``*``."""

    def environment(self, threads: int, probe: str) -> Mapping[str, str]:
        """Environment variables that a worker must be started with."""

    def unsupported(self, case: Case) -> str:
        """Why the case cannot run, if that is known without trying; else empty."""

    def start(self, device: str, threads: int) -> None:
        """Imports the framework and settles device, threads and numerics."""

    @property
    def watch(self) -> Callable[[], Told]:
        """Starts watching what keeps its calls from running; see `harness.devices.watch`."""

    def version(self) -> str:
        """The version that runs, such as 2.13.0+cpu."""

    def packages(self) -> Mapping[str, str]:
        """Versions of further packages that its layers are made with, by name."""

    def settings(self) -> Mapping[str, Any]:
        """What was settled, for the record, such as ``tf32``."""

    def prepare(self, problem: Problem) -> Step:
        """Builds the module, sets its weights, and moves inputs to the device."""

    def ceilings(self, dtype: str) -> CeilingCalls:
        """Calls for `harness.probes.ceilings`."""

    def peak_memory(self, call: Callable[[], Any]) -> PeakMemory:
        """Peak memory of one call above the resting level."""

    def execution(self, call: Callable[[], Any]) -> Execution | None:
        """Which way a call goes that was opened just now, or None if the framework cannot tell.

        It may call it several times.
        """

    def profile(self, call: Callable[[], Any], chrome: Path) -> Trace:
        """One call that was opened just now, as the framework's profiler sees it.

        It leaves a file for Perfetto and Chrome, in the Trace Event Format.
        """

    def parts(self, step: Step) -> Parts | None:
        """What a call of the step, opened anew, holds at its peak; None if that cannot be told."""

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Whether the error says that memory ran out."""

    def is_unsupported(self, error: BaseException) -> bool:
        """Whether the error says that the framework lacks a kernel for this."""


@cache
def _found() -> dict[str, Callable[[], Framework]]:
    own: dict[str, Callable[[], Framework]] = {
        info.name: lambda name=info.name: importlib.import_module(f"{__name__}.{name}").FRAMEWORK  # type: ignore[misc]
        for info in pkgutil.iter_modules(__path__)
    }
    foreign = {
        point.name: point.load for point in metadata.entry_points(group="layerbench.frameworks")
    }
    return {**own, **foreign}


def get(name: str) -> Framework:
    """The framework of that name.

    Raises:
        UsageError: there is none.
    """
    found = _found()
    if name not in found:
        raise UsageError(f"unknown framework {name!r}; there are: {', '.join(names())}")
    return found[name]()


def names() -> list[str]:
    """Frameworks for people to choose from, installed or not."""
    return [name for name, load in sorted(_found().items()) if not load().for_tests]


def installed(name: str) -> bool:
    """Whether the framework can be imported, without importing it."""
    return importlib.util.find_spec(get(name).module) is not None


def built(builder: Builder, config: Config) -> Any:
    """The module that a builder makes; None only if its own ``call`` does without.

    Raises:
        ValueError: it makes none.
    """
    module = builder.build(config)
    if module is None and builder.call is Builder.call:
        raise ValueError("the builder's build gives None; it has to return the module")
    return module


def check_output(output: Any) -> None:
    """Holds a builder to its word: a call gives one tensor.

    Raises:
        ValueError: it gives several.
    """
    if isinstance(output, tuple | list | Mapping):
        raise ValueError(
            f"the module returns a {type(output).__name__}; give the builder a call that picks "
            "the tensor, such as call=lambda module, c, x: module(x)[0]"
        )


def check_gradients(names: Iterable[str], gradients: Iterable[Any]) -> None:
    """Holds a layer to what it declares as trainable: a gradient reaches it.

    Raises:
        ValueError: none does.
    """
    without = [name for name, gradient in zip(names, gradients, strict=True) if gradient is None]
    if without:
        raise ValueError(
            f"no gradient reaches {', '.join(without)}; what is not meant to have one is "
            "declared with trainable=False"
        )


def check_weights(given: Mapping[str, Any], trainable: set[str], state: set[str]) -> None:
    """Holds a builder to its word: it names every trainable weight, and none that is not there.

    Raises:
        ValueError: it does not.
    """
    if unknown := sorted(given.keys() - trainable - state):
        raise ValueError(
            f"the builder sets {', '.join(unknown)}, but the module has "
            f"{', '.join(sorted(trainable | state)) or 'no weights'}"
        )
    if missing := sorted(trainable - given.keys()):
        raise ValueError(f"the builder gives no value for {', '.join(missing)}")


def check_shape(name: str, wanted: tuple[int, ...], given: tuple[int, ...]) -> None:
    """Holds a builder to the shape of the module's weight; broadcasting would hide an error.

    Raises:
        ValueError: they differ.
    """
    if wanted != given:
        raise ValueError(f"weight {name} has shape {wanted}, the builder gives {given}")
