"""One case in one worker: warm-up, block size and the stopping rule, with scripted answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from harness import stats
from harness.runner import CaseFailedError, WorkerFailedError, measure, sampling
from harness.runner.sampling import Effort
from harness.types import Case, Status

CASE = Case.parse("scale/fake/cpu/forward/eager/float32/b2-us=20")
EFFORT = Effort(rel_ci=0.01, sample_s=0.5, timeout_s=7.0)
PREPARED = {
    "first_call_s": 1.0,
    "flops": 1,
    "bytes": 1,
    "parameter_bytes": 1,
    "input_bytes": 4,
    "warnings": [],
}


@dataclass
class Worker:
    """Answers as a worker would whose n-th call takes ``call_s(n)`` seconds."""

    call_s: Callable[[int], float]
    memory: list[int] = field(default_factory=lambda: [5000])
    resolution_bytes: int = 1
    block_s: float = 0.0
    """What a block takes beside its calls."""
    execution: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)
    calls: int = 0
    asked: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def ask(self, timeout_s: float, **request: Any) -> dict[str, Any]:
        self.asked.append((timeout_s, request))
        kind = request["do"]
        if kind == "prepare":
            return dict(PREPARED)
        if kind == "check_smaller":
            return {}
        if kind == "check":
            return {"parity_error": 1e-7}
        if kind == "memory":
            peak = self.memory.pop(0) if len(self.memory) > 1 else self.memory[0]
            resolution = self.resolution_bytes
            return {"peak_bytes": peak, "method": "VmHWM", "resolution_bytes": resolution}
        if kind in ("execution", "parts"):
            return dict(getattr(self, kind))
        calls = request["calls"]
        if kind == "pairs":
            both = [(self.block(2 * calls), self.block(calls)) for _ in range(request["pairs"])]
            doubled, usual = zip(*both, strict=True)
            return {"wall_s": list(usual), "doubled_s": list(doubled)}
        walls = [self.block(calls) for _ in range(request["blocks"])]
        return {"wall_s": walls, "device_s": []}

    def block(self, calls: int) -> float:
        first, self.calls = self.calls, self.calls + calls
        return (self.block_s + sum(map(self.call_s, range(first, self.calls)))) / calls

    def runs(self) -> list[dict[str, Any]]:
        return [request for _, request in self.asked if request["do"] == "run"]


def latency(worker: Worker, effort: Effort = EFFORT, resolution_s: float = 1e-7) -> Any:
    return measure.latency(worker.ask, CASE, 0, effort, resolution_s)


@pytest.mark.parametrize(
    ("call_s", "resolution_s", "shortest_s"),
    [(20e-6, 1e-7, 1e-3), (20e-6, 1e-5, 1e-2), (5e-3, 1e-7, 5e-3)],
)
def test_a_block_lasts_a_millisecond_and_a_thousand_steps_of_the_clock(
    call_s: float, resolution_s: float, shortest_s: float
) -> None:
    found = latency(Worker(lambda n: call_s), resolution_s=resolution_s)
    block_s = found.calls_per_block * call_s
    assert shortest_s * 0.999 <= block_s < 3 * shortest_s


def test_one_disturbed_block_does_not_make_blocks_too_short() -> None:
    found = latency(Worker(lambda n: 5e-3 if n == 0 else 20e-6))
    assert found.calls_per_block * 20e-6 >= 1e-3


def test_a_layer_whose_first_call_is_slow_gets_longer_blocks_once_it_is_warm() -> None:
    found = latency(Worker(lambda n: 20e-3 if n < 1 else 3e-6))
    assert found.calls_per_block * found.samples_s[0] >= measure.BLOCK_S
    assert max(found.samples_s) == pytest.approx(3e-6)


def test_sampling_begins_when_two_windows_agree() -> None:
    def falling(n: int) -> float:
        return 1e-3 * (1 + 2.0 ** (1 - n / 20))

    found = latency(Worker(falling))
    assert found.warmed
    assert max(found.samples_s) < 1.06e-3


def test_what_never_settles_is_sampled_after_the_cap_and_says_so() -> None:
    worker = Worker(lambda n: 1e-3 * (1 + n / 200))
    found = latency(worker)
    assert not found.warmed
    assert found.samples_s
    warm_up_s = found.samples_s[0] * 0 + sum(1e-3 * (1 + n / 200) for n in range(worker.calls))
    assert warm_up_s < (measure.WARM_UP_CAP + 2) * EFFORT.sample_s + 0.1


def test_sampling_stops_once_the_interval_is_narrow_enough() -> None:
    found = latency(Worker(lambda n: 1e-3))
    assert found.converged
    assert len(found.samples_s) == stats.ENOUGH_SAMPLES


def test_sampling_stops_when_the_time_is_spent() -> None:
    rng = np.random.default_rng(0)
    noise = rng.lognormal(0, 1, 100_000)
    found = latency(Worker(lambda n: 1e-3 * noise[n]))
    assert not found.converged
    assert sum(found.samples_s) * found.calls_per_block == pytest.approx(0.5, rel=0.3)


def test_a_call_longer_than_the_sampling_time_is_still_sampled_thrice() -> None:
    assert len(latency(Worker(lambda n: 10.0)).samples_s) == sampling.MIN_SAMPLES


def test_no_request_holds_many_blocks_of_a_long_call() -> None:
    worker = Worker(lambda n: 0.3)
    latency(worker)
    assert max(run["calls"] * run["blocks"] for run in worker.runs()) == 1


def test_blocks_of_twice_the_calls_show_what_a_block_takes_beside_them() -> None:
    found = latency(Worker(lambda n: 20e-6))
    assert len(found.doubled_samples_s) == measure.MAX_PAIRS
    assert found.doubled_samples_s == pytest.approx(found.paired_samples_s)
    # Half of a block of one call is the block's own, and a third of one of two calls.
    beside = latency(Worker(lambda n: 5e-3, block_s=5e-3))
    assert set(beside.paired_samples_s) == {10e-3}
    assert set(beside.doubled_samples_s) == {7.5e-3}


@pytest.mark.parametrize(("call_s", "pairs"), [(15e-3, 5), (0.1, measure.MIN_PAIRS), (0.2, 0)])
def test_pairs_of_blocks_fit_into_half_the_sampling_time_but_for_the_least_number(
    call_s: float, pairs: int
) -> None:
    worker = Worker(lambda n: call_s)
    found = latency(worker)
    assert (len(found.paired_samples_s), len(found.doubled_samples_s)) == (pairs, pairs)
    asked = [request for _, request in worker.asked if request["do"] == "pairs"]
    assert all(3 * call_s * r["pairs"] <= sampling.CHUNK_S or r["pairs"] == 1 for r in asked)


def test_the_check_has_a_time_limit_of_its_own() -> None:
    worker = Worker(lambda n: 1e-3)
    latency(worker)
    limits = {request["do"]: limit for limit, request in worker.asked}
    assert limits["check"] == measure.CHECK_TIMEOUT_S
    assert limits["prepare"] == limits["run"] == EFFORT.timeout_s


def test_a_check_that_takes_too_long_says_that_it_was_the_check() -> None:
    worker = Worker(lambda n: 1e-3)

    def ask(timeout_s: float, **request: Any) -> dict[str, Any]:
        if request["do"] == "check":
            raise WorkerFailedError(Status.TIMEOUT, "no answer")
        return worker.ask(timeout_s, **request)

    with pytest.raises(WorkerFailedError) as failure:
        measure.latency(ask, CASE, 0, EFFORT, 1e-7)
    assert "check against its reference" in failure.value.reason


def test_peak_memory_is_the_median_of_readings_each_asked_for_alone() -> None:
    worker = Worker(lambda n: 1e-3, memory=[9000, 5000, 6000])
    found = measure.memory(worker.ask, CASE, EFFORT)
    assert found.peak_memory_bytes == 6000
    assert found.memory_method == "VmHWM"
    assert [r["do"] for _, r in worker.asked] == [
        *("prepare", "run", "run"),
        *["memory"] * 3,
        *("execution", "parts"),
    ]


def test_what_a_framework_cannot_tell_stays_empty() -> None:
    found = measure.memory(Worker(lambda n: 1e-3).ask, CASE, EFFORT)
    assert (found.execution_path, found.operators, found.warnings) == ("", None, ())


def test_the_execution_path_comes_with_the_memory() -> None:
    told = {"execution_path": "math", "operators": 3, "kernels": None, "conversions": 1}
    found = measure.memory(Worker(lambda n: 1e-3, execution=told).ask, CASE, EFFORT)
    assert (found.execution_path, found.operators, found.conversions) == ("math", 3, 1)


def test_what_a_call_holds_with_weights_and_inputs_is_what_is_allocated() -> None:
    told = {"held_bytes": 70, "output_bytes": 30, "saved_bytes": 15, "workspace_bytes": 25}
    found = measure.memory(Worker(lambda n: 1e-3, parts=told).ask, CASE, EFFORT)
    parts = [found.output_bytes, found.saved_bytes, found.workspace_bytes]
    assert parts == [30, 15, 25]
    assert found.peak_allocated_bytes == sum(parts) + 1 + 4 == 75  # weights, inputs


def test_where_a_part_cannot_be_told_there_is_no_sum() -> None:
    told = {"held_bytes": None, "output_bytes": 30, "saved_bytes": None, "workspace_bytes": None}
    found = measure.memory(Worker(lambda n: 1e-3, parts=told).ask, CASE, EFFORT)
    assert (found.output_bytes, found.peak_allocated_bytes) == (30, None)


def test_a_profiler_that_fails_costs_the_path_only() -> None:
    worker = Worker(lambda n: 1e-3)

    def ask(timeout_s: float, **request: Any) -> dict[str, Any]:
        if request["do"] == "execution":
            raise CaseFailedError(Status.ERROR, "no profiler")
        return worker.ask(timeout_s, **request)

    found = measure.memory(ask, CASE, EFFORT)
    assert (found.status, found.peak_memory_bytes) == (Status.OK, 5000)
    assert found.warnings == ("the execution path is missing: error: no profiler",)


def test_a_peak_below_what_can_be_resolved_is_no_figure() -> None:
    worker = Worker(lambda n: 1e-3, memory=[0], resolution_bytes=2**18)
    found = measure.memory(worker.ask, CASE, EFFORT)
    assert found.peak_memory_bytes is None
    assert found.memory_method == "VmHWM, below 256 KiB"
