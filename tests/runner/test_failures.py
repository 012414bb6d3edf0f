"""What fails late takes nothing away that was measured before."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fake_runs import request

from harness import runner, store
from harness.runner.process import CaseFailedError, WorkerProcess
from harness.types import HarnessError, Status

execute = sys.modules["harness.runner.execute"]  # its function has the same name
Measured = Callable[..., pd.DataFrame]


@pytest.fixture(autouse=True)
def _folder_of_the_fake_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_SUITE_FOLDER", str(tmp_path))


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


def test_a_run_is_not_continued_with_another_version_of_a_framework(tmp_path: Path) -> None:
    plan = runner.make_plan(request(passes=2))
    run = runner.begin(plan, tmp_path, "test")
    with store.Journal(run.folder) as journal:
        journal.append(
            "worker", {"framework": "fake", "device": "cpu", "threads": 1, "version": "0.9"}
        )
    with pytest.raises(HarnessError, match=r"begun with fake 0\.9, and here is now 1\.0"):
        runner.execute(run, plan.layers, lambda event: None)


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
