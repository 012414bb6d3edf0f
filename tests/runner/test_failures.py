"""What fails late takes nothing away that was measured before."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fake_runs import request

from harness import runner, store
from harness.runner import WorkerFailedError
from harness.runner.process import CaseFailedError, WorkerProcess
from harness.types import Case, HarnessError, Measurement, Status

execute = sys.modules["harness.runner.execute"]  # its function has the same name
Measured = Callable[..., pd.DataFrame]


@pytest.fixture(autouse=True)
def _folder_of_the_fake_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_SUITE_FOLDER", str(tmp_path))


@pytest.mark.parametrize("kind", ["segfault", "raise", "memory_error"])
def test_a_layer_that_fails_in_pass_2_keeps_the_figures_of_pass_1(
    measured: Measured, kind: str
) -> None:
    row = measured(layers=("later_fault",), params={"kind": [kind], "build": [3]}, passes=3).iloc[0]
    assert row["status"] == "ok"
    assert row["passes"] == 1
    assert row["latency_s"] == pytest.approx(1e-4, rel=1e-3)
    assert any("pass 2 is missing" in warning for warning in row["warnings"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a worker's memory")
def test_a_worker_takes_as_much_memory_as_the_run_allows(measured: Measured) -> None:
    asked = {"layers": ("fault",), "params": {"kind": ["half_a_gibibyte"]}}
    row = measured(**asked, memory_bytes=2**29).iloc[0]
    assert row["status"] == "oom"
    assert row["reason"].endswith("(a worker may take 512 MiB, its framework included)")
    assert measured(**asked, memory_bytes=2**31).iloc[0]["status"] == "ok"


def test_a_layer_that_fails_when_memory_is_read_keeps_its_latency(measured: Measured) -> None:
    row = measured(layers=("later_fault",), params={"build": [2]}, passes=2).iloc[0]
    assert row["status"] == "ok"
    assert row["passes"] == 2
    assert math.isnan(row["peak_memory_bytes"])
    assert any("peak memory is missing: crashed" in warning for warning in row["warnings"])


@pytest.mark.parametrize("seed", [0, 1, 2])  # or the one that fails might always be the last
@pytest.mark.parametrize("kind", ["segfault", "raise"])
def test_a_call_that_fails_under_the_profiler_costs_its_path_only(
    measured: Measured, kind: str, seed: int
) -> None:
    frame = measured(
        layers=("later_fault", "scale"),
        params={"kind": [kind], "build": [2], "at": [7], "us": [20, 30, 40, 50]},
        seed=seed,
    )
    row = frame[frame["layer"] == "later_fault"].iloc[0]
    assert row["peak_memory_bytes"] == 4096
    assert row["execution_path"] == ""
    assert any("the execution path is missing" in warning for warning in row["warnings"])
    others = frame[frame["layer"] == "scale"]
    assert others["peak_memory_bytes"].tolist() == [4096] * 4
    assert others["execution_path"].tolist() == ["NumPy"] * 4


def test_a_worker_that_does_not_start_again_costs_a_pass_and_is_tried_at_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = runner.make_plan(request(layers=("scale",), passes=3))
    run = runner.begin(plan, tmp_path, "test")
    begin = execute.start
    started = []

    def start(*arguments: Any) -> WorkerProcess:
        started.append(arguments)
        if len(started) > 2:  # after pass 1 and memory
            raise WorkerFailedError(Status.ERROR, "the framework is gone")
        return begin(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(execute, "start", start)
        runner.execute(run, plan.layers, lambda event: None)
    row = store.load(run.folder).iloc[0]
    assert (row["status"], row["passes"]) == ("ok", 1)
    assert "pass 2 is missing: the framework is gone" in row["warnings"]
    assert len(started) == 3  # and not once more for pass 3
    runner.execute(run, plan.layers, lambda event: None)
    row = store.load(run.folder).iloc[0]
    assert (row["status"], row["passes"]) == ("ok", 3)
    assert not any("missing" in warning for warning in row["warnings"])


def test_a_worker_that_never_starts_gives_its_cases_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = runner.make_plan(request(params={"us": [20, 30]}, passes=None, budget_s=60.0))
    run = runner.begin(plan, tmp_path, "test")

    def start(*arguments: Any) -> WorkerProcess:
        raise WorkerFailedError(Status.ERROR, "the worker could not start")

    shown: list[Measurement | None] = []
    monkeypatch.setattr(execute, "start", start)
    runner.execute(run, plan.layers, lambda event: shown.append(event.measurement))
    frame = store.load(run.folder)
    assert frame["status"].tolist() == ["error", "error"]
    assert set(frame["reason"]) == {"the worker could not start"}
    assert [m.status for m in shown if m] == [Status.ERROR, Status.ERROR]


def test_a_run_is_not_continued_with_another_version_of_a_framework(tmp_path: Path) -> None:
    plan = runner.make_plan(request(passes=2))
    run = runner.begin(plan, tmp_path, "test")
    with store.Journal(run.folder) as journal:
        journal.append(
            "worker", {"framework": "fake", "device": "cpu", "threads": 1, "version": "0.9"}
        )
    with pytest.raises(HarnessError, match=r"begun with fake 0\.9, and here is now 1\.0"):
        runner.execute(run, plan.layers, lambda event: None)


class Scripted:
    """A worker that fails whatever it is asked to prepare, and lives on."""

    alive = True

    def __init__(self) -> None:
        self.ended = False

    def greeting(self) -> dict[str, Any]:
        return {"version": "1", "clock_resolution_s": 1e-7, "settings": {}}

    def ask(self, timeout_s: float, **request: Any) -> dict[str, Any]:
        if request["do"] == "ceilings":
            return {"flop_per_s": 1.0, "bandwidth": [[1, 1.0]], "call_overhead_s": 1.0}
        raise CaseFailedError(Status.ERROR, "CUDA error: an illegal memory access")

    def close(self) -> None:
        self.ended = True


@pytest.mark.parametrize(("device", "workers"), [("cuda", 3), ("cpu", 1)])
def test_after_an_error_on_cuda_the_next_case_gets_a_fresh_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, workers: int
) -> None:
    plan = runner.make_plan(request(params={"us": [1, 2, 3]}))
    run = runner.begin(plan, tmp_path, "test")
    cases = tuple(Case.parse(case.id.replace("/cpu/", f"/{device}/")) for case in run.cases)
    object.__setattr__(run, "cases", cases)
    started: list[Scripted] = []

    def start(*arguments: Any) -> Scripted:
        started.append(Scripted())
        return started[-1]

    monkeypatch.setattr(execute, "start", start)
    runner.execute(run, plan.layers, lambda event: None)
    assert len(started) == workers
    assert all(worker.ended for worker in started)


def test_ceilings_are_measured_in_every_pass(tmp_path: Path) -> None:
    plan = runner.make_plan(request(passes=3, axes={"dtype": ["float32", "float16"]}))
    run = runner.begin(plan, tmp_path, "test")
    runner.execute(run, plan.layers, lambda event: None)
    dtypes = [ceiling["dtype"] for ceiling in store.read(run).ceilings]
    assert sorted(dtypes) == ["float16"] * 3 + ["float32"] * 3


def test_ceilings_that_raise_are_told_on_the_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = runner.make_plan(request())
    run = runner.begin(plan, tmp_path, "test")
    begin = execute.start

    def start(*arguments: Any) -> WorkerProcess:
        worker: WorkerProcess = begin(*arguments)
        ask = worker.ask

        def without_ceilings(timeout_s: float, **question: Any) -> dict[str, Any]:
            if question["do"] == "ceilings":
                raise CaseFailedError(Status.ERROR, "no product in this dtype")
            return ask(timeout_s, **question)

        monkeypatch.setattr(worker, "ask", without_ceilings)
        return worker

    monkeypatch.setattr(execute, "start", start)
    runner.execute(run, plan.layers, lambda event: None)
    row = store.load(run.folder).iloc[0]
    assert row["status"] == "ok"
    assert "fake's own ceilings could not be measured: no product in this dtype" in row["warnings"]


def test_a_row_without_ceilings_says_that_it_has_no_roofline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "CEILINGS_TIMEOUT_S", 0.0)
    plan = runner.make_plan(request())
    run = runner.begin(plan, tmp_path, "test")
    runner.execute(run, plan.layers, lambda event: None)
    row = store.load(run.folder).iloc[0]
    assert row["status"] == "ok"
    assert "no roofline: what the machine can do in float32 is not known" in row["warnings"]
