"""A sweep of the fake framework through real worker processes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from fake_runs import request

from harness import runner
from harness.types import Case

Measured = Callable[..., pd.DataFrame]


def test_the_latency_is_the_one_the_layer_took(measured: Measured) -> None:
    frame = measured(params={"us": [20, 300]}, passes=2)
    assert frame["latency_s"].tolist() == pytest.approx([20e-6, 300e-6], rel=1e-3)
    assert frame["samples"].min() >= 2 * 30
    assert frame["converged"].all()
    assert frame["warmed"].all()
    assert frame["passes"].tolist() == [2, 2]
    assert frame["peak_memory_bytes"].tolist() == [4096, 4096]


def test_noise_that_does_not_settle_is_said(measured: Measured) -> None:
    row = measured(layers=("noisy",), params={"us": [3000]}).iloc[0]
    assert not row["converged"]


def test_throughput_counts_items_and_tokens(measured: Measured) -> None:
    row = measured(layers=("sequence",), axes={"batch": [8], "seq": [32]}).iloc[0]
    assert row["throughput_per_s"] == pytest.approx(8 / 20e-6, rel=1e-3)
    assert row["tokens_per_s"] == pytest.approx(8 * 32 / 20e-6, rel=1e-3)


def test_every_planned_case_ends_in_one_row(measured: Measured) -> None:
    frame = measured(
        layers=("scale", "training_only", "no_builder", "wrong_output"),
        axes={"mode": ["forward", "train"], "execution": ["eager", "compiled"]},
    )
    eager = frame[frame["execution"] == "eager"].set_index(["layer", "mode"])["status"].to_dict()
    assert eager == {
        ("scale", "forward"): "ok",
        ("scale", "train"): "ok",
        ("training_only", "forward"): "not_applicable",
        ("training_only", "train"): "ok",
        ("no_builder", "forward"): "unsupported",
        ("no_builder", "train"): "unsupported",
        ("wrong_output", "forward"): "mismatch",
        ("wrong_output", "train"): "mismatch",
    }
    assert set(frame[frame["execution"] == "compiled"]["status"]) == {
        "unsupported",
        "not_applicable",
    }
    assert frame["case_id"].is_unique


def test_a_framework_that_cannot_have_a_builder_is_unsupported_for_its_reason(
    measured: Measured,
) -> None:
    frame = measured(layers=("lacking", "no_builder")).set_index("layer")
    assert set(frame["status"]) == {"unsupported"}
    assert frame.loc["lacking", "reason"] == "the fake has no such kernel"
    assert frame.loc["no_builder", "reason"] == "no_builder has no builder for fake"


def test_a_mismatch_carries_no_latency_and_says_what_differs(measured: Measured) -> None:
    frame = measured(layers=("wrong_output", "wrong_gradient"), axes={"mode": ["train"]})
    assert frame["latency_s"].isna().all()
    assert frame["status"].tolist() == ["mismatch", "mismatch"]
    output, gradient = frame.set_index("layer").loc[["wrong_output", "wrong_gradient"], "reason"]
    assert output.startswith("output differs")
    assert gradient.startswith("gradient of a differs")


def test_no_garbage_is_collected_while_a_layer_runs(measured: Measured) -> None:
    frame = measured(layers=("fault",), params={"kind": ["collector"], "at": [1, 2, 50]})
    assert frame["status"].tolist() == ["ok"] * 3, frame["reason"].tolist()


def test_the_order_of_cases_differs_between_passes_and_not_between_runs(tmp_path: Path) -> None:
    def orders(results: Path) -> list[list[str]]:
        plan = runner.make_plan(request(params={"us": list(range(10, 18))}, passes=2))
        record = runner.begin(plan, results, "test")
        runner.execute(record, plan.layers, lambda event: None)
        text = (record.folder / "journal.jsonl").read_text(encoding="utf-8")
        taken = [
            (line["pass_index"], Case.from_json(line["case"]).id)
            for line in map(json.loads, text.splitlines())
            if line["kind"] == "measurement" and line["probe"] == "latency"
        ]
        return [[name for pass_index, name in taken if pass_index == index] for index in (0, 1)]

    first, second = orders(tmp_path / "a"), orders(tmp_path / "b")
    assert first == second
    assert first[0] != first[1]
    assert sorted(first[0]) == sorted(first[1])


def test_a_budget_makes_as_many_passes_as_fit(measured: Measured) -> None:
    assert measured(passes=None, budget_s=1e-3)["passes"].tolist() == [1]
    assert measured(passes=None, budget_s=4.0)["passes"].iloc[0] > 1


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot pin")
def test_a_worker_stays_on_its_cores(tmp_path: Path) -> None:
    from harness.devices import cpu
    from harness.runner import workers

    worker = workers.start(workers.Bench("fake", "cpu", 1), "latency", tmp_path, ())
    worker.greeting()
    assert os.sched_getaffinity(worker._process.pid) == set(cpu.cores(1))
    worker.close()


def test_a_budget_is_not_waited_out_when_every_case_has_failed(measured: Measured) -> None:
    start = time.monotonic()
    frame = measured(layers=("no_builder",), passes=None, budget_s=60.0)
    assert frame["status"].tolist() == ["unsupported"]
    assert time.monotonic() - start < 30
