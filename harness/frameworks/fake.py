"""A framework for tests: layers in NumPy, and a clock that moves only as a layer says.

It lets everything above the frameworks be tested in milliseconds, with figures known beforehand.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from harness.devices.memory import PeakMemory
from harness.devices.watch import Told
from harness.frameworks import CeilingCalls, Step, check_weights
from harness.layer import Array, Arrays
from harness.probes.parity import Outcome
from harness.problem import Problem
from harness.profilers import Allocation, Execution, Operation, Trace
from harness.types import Case


class FakeModule(Protocol):
    """What a layer's ``fake`` builder makes."""

    weights: dict[str, Array]
    seconds: float
    """Of a call, by the fake clock."""
    noise: float
    """Standard deviation of the logarithm of a call's time."""
    block_seconds: float
    """What a block takes beside its calls, by the fake clock."""
    device_share: float
    """Of a call's time, what the device's clock reads; 0 for a device without one."""
    peak_bytes: int
    """Peak memory of a call, as it will be read."""
    disturbances: Mapping[str, float]
    """What a kernel would tell of the blocks that just ended; see `harness.devices.watch`."""

    def __call__(self, *inputs: Array) -> Array: ...

    def gradients(
        self, upstream: Array, *inputs: Array
    ) -> tuple[tuple[Array, ...], dict[str, Array]]:
        """Of the inputs, and of the weights by name."""


class Fake:
    """See `harness.frameworks.Framework`."""

    name = "fake"
    module = "numpy"
    builder = "fake"
    for_tests = True

    def __init__(self) -> None:
        self._now = 0.0
        self._device_now = 0.0
        self._module: FakeModule | None = None
        self._peak_bytes = 0

    def environment(self, threads: int, probe: str) -> Mapping[str, str]:
        return {}

    def unsupported(self, case: Case) -> str:
        return "the fake framework compiles nothing" if case.execution != "eager" else ""

    def start(self, device: str, threads: int) -> None: ...

    def watch(self) -> Told:
        return lambda: dict(self._module.disturbances) if self._module else {}

    def version(self) -> str:
        return "1.0"

    def packages(self) -> Mapping[str, str]:
        return {"fake_parts": "0.1"}

    def settings(self) -> Mapping[str, Any]:
        return {}

    def synchronize(self, result: Any) -> None:
        self._now += self._module.block_seconds if self._module else 0.0

    def clock(self) -> float:
        self._now += 1e-9
        return self._now

    def device_event(self) -> Any | None:
        return self._device_now if self._module and self._module.device_share else None

    def device_seconds(self, start: Any, end: Any) -> float:
        return float(end - start)

    def prepare(self, problem: Problem) -> Step:
        # What a case is measured to take does not depend on what was measured before it.
        self._now = self._device_now = 0.0
        module: FakeModule = problem.builder.build(problem.config)
        self._module = module
        self._peak_bytes = module.peak_bytes
        given = problem.native_weights()
        check_weights(given, set(module.weights), set())
        module.weights.update({name: _float64(values) for name, values in given.items()})
        inputs = tuple(map(_float64, problem.native_inputs()))
        rng = np.random.default_rng(zlib.crc32(problem.case.id.encode()))

        def timed(work: Callable[[], Any]) -> Callable[[], Any]:
            def call() -> Any:
                taken = module.seconds * math.exp(rng.normal(0, module.noise))
                self._now += taken
                self._device_now += taken * module.device_share
                return work()

            return call

        def forward() -> tuple[Array, tuple[()]]:
            return module(*inputs), ()

        def train() -> tuple[Array, tuple[tuple[Array, ...], Arrays]]:
            output = module(*inputs)
            upstream = _float64(problem.native_upstream(output.shape))
            return output, module.gradients(upstream, *inputs)

        training = problem.config.training
        return Step(
            open=lambda: timed(train if training else forward),
            outcome=lambda result: Outcome(result[0], *result[1]),
            parameter_bytes=sum(held.nbytes for held in module.weights.values()),
            input_bytes=sum(values.nbytes for values in inputs),
        )

    def ceilings(self, dtype: str) -> CeilingCalls:
        def taking(seconds: float) -> Callable[[], None]:
            def call() -> None:
                self._now += seconds

            return call

        return CeilingCalls(
            matmul=lambda n: taking(2 * n**3 / 1e11), stream=lambda size: taking(1.5 * size / 1e10)
        )

    def peak_memory(self, call: Callable[[], Any]) -> PeakMemory:
        call()
        return PeakMemory(self._peak_bytes, "fake", 1)

    def execution(self, call: Callable[[], Any]) -> Execution:
        call()
        return Execution("NumPy", operators=1, kernels=None, conversions=0)

    def parts(self, step: Step) -> None: ...

    def profile(self, call: Callable[[], Any], chrome: Path) -> Trace:
        start_s = self._now
        call()
        chrome.write_text('{"traceEvents": []}', encoding="utf-8")
        operation = Operation("NumPy", 1, 0.0, self._now - start_s)
        return Trace((operation,), (Allocation(1, 0.0, 4096), Allocation(1, operation.end_s, -96)))

    def is_out_of_memory(self, error: BaseException) -> bool:
        return "CUDA out of memory" in str(error)

    def is_unsupported(self, error: BaseException) -> bool:
        return isinstance(error, NotImplementedError)


def _float64(values: Array) -> Array:
    return values.astype(np.float64)


FRAMEWORK = Fake()
