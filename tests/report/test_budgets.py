"""Layer budgets: sums over a model's shapes, what is missing from them, and where they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_runs import SUITE
from frames import NAN, frame, row, run

from harness import runner, store, units
from harness.report import budgets, html, markdown
from harness.report.budgets import Budget
from harness.runner import Request

SHAPES = """
model = "tiny"
framework = ["fake"]
device = ["cpu"]
mode = ["forward"]
execution = ["eager"]
dtype = ["float32"]
threads = [1]
batch = [2]
passes = 1
sample_s = 0.05
[[shape]]
layer = "scale"
count = 3
rows = 8
[[shape]]
layer = "training_only"
count = 2
"""


def of_model(latency_s: float, occurrences: int, **changes: Any) -> dict[str, Any]:
    return row(latency_s, model="tiny", model_batch=1, occurrences=occurrences, **changes)


def only(*members: dict[str, Any]) -> Budget:
    (found,) = budgets.section(frame(members))
    return found


def texts(budget: Budget) -> list[list[str]]:
    return [[cell.text for cell in line] for line in budget.table.rows]


def test_a_layer_takes_its_latency_times_its_occurrences_and_its_ends_add_up() -> None:
    found = only(
        of_model(1e-3, 2),
        of_model(2e-3, 3, params={"units": 512}),
        of_model(1e-3, 12, layer="lstm", seq=16),
    )
    assert found.title == "tiny, batch 1, forward"
    assert found.setting == "cpu, float32, 1 thread"
    assert found.table.header == ("Layer", "Shapes", "Calls", "torch eager", "Share")
    assert texts(found) == [
        ["lstm", "1", "12", "12.0 ms (10.9–13.2)", "60.0 %"],
        ["dense", "2", "5", "8.00 ms (7.27–8.80)", "40.0 %"],
        ["together", "3", "17", "20.0 ms (18.2–22.0)", "100 %"],
    ]
    assert found.remarks == ()


def test_what_has_no_time_is_named_and_the_sum_is_told_to_be_less() -> None:
    found = only(
        of_model(1e-3, 2),
        of_model(1.0, 3, params={"units": 512}, status="oom", reason="no memory"),
        of_model(1.0, 1, layer="lstm", status="unsupported", reason="no kernel"),
    )
    assert texts(found) == [
        ["dense", "2", "5", "at least 2.00 ms (1.82–2.20)", "100 %"],
        ["lstm", "1", "1", "unsupported", units.MISSING],
        ["together", "3", "6", "at least 2.00 ms (1.82–2.20)", "100 %"],
    ]
    (told,) = found.remarks
    assert told == (
        "torch eager: 4 of 6 calls have no time, so that the sums are of the others: "
        "dense b32 units=512 (oom: no memory); lstm b32 units=256 (unsupported: no kernel)."
    )


def test_nothing_is_missing_where_there_is_nothing_to_time() -> None:
    found = only(
        of_model(1e-3, 2), of_model(1.0, 9, layer="dropout", status="not_applicable", reason="-")
    )
    assert texts(found)[1][3:] == ["not_applicable", units.MISSING]
    assert texts(found)[-1][3] == "2.00 ms (1.82–2.20)"
    assert found.remarks == ()


def test_frameworks_stand_beside_each_other_and_modes_apart() -> None:
    members = [
        of_model(latency_s, 2, framework=framework, mode=mode)
        for mode, factor in (("train", 3), ("forward", 1))
        for framework, latency_s in (("torch", factor * 1e-3), ("tensorflow", factor * 2e-3))
    ]
    forward, train = budgets.section(frame(members))
    assert [forward.title, train.title] == ["tiny, batch 1, forward", "tiny, batch 1, train"]
    assert forward.table.header[3:] == ("torch eager", "Share", "tensorflow eager", "Share")
    assert [line[3] for line in texts(train)] == ["6.00 ms (5.45–6.60)"] * 2


def test_a_model_is_summed_up_over_its_latest_run_only() -> None:
    """Whose shapes may be others by now; what another model shares stays with that."""
    found = budgets.section(
        frame(
            [
                of_model(1e-3, 2, params={"units": 1}, run_id="run-1"),
                of_model(5e-3, 2, run_id="run-2"),
                {**of_model(5e-3, 4, run_id="run-3"), "model": "other"},
                row(9e-3, run_id="run-4"),
            ]
        )
    )
    assert [budget.table.rows[-1][3].figure for budget in found] == pytest.approx([20e-3, 10e-3])


def test_both_reports_show_budgets_and_none_where_there_is_no_model() -> None:
    members = frame([of_model(1e-3, 2)])
    page, text = html.render(members, [run()]), markdown.render(members, [run()])
    for document in (page, text):
        assert "Layer budgets of models" in document
        assert "tiny, batch 1, forward" in document
    plain = frame([row()])
    assert "Layer budgets" not in html.render(plain, [run()])
    assert "Layer budgets" not in markdown.render(plain, [run()])


def measured(tmp_path: Path, **changes: Any) -> Any:
    path = tmp_path / "tiny.toml"
    path.write_text(SHAPES, encoding="utf-8")
    plan = runner.make_plan(Request(str(path), suites=(SUITE,), timeout_s=20.0, **changes))
    record = runner.begin(plan, tmp_path, "test")
    runner.execute(record, plan.layers, lambda event: None)
    store.collect(record.folder)
    return store.load(record.folder)


def test_a_run_keeps_what_each_case_is_to_the_model(tmp_path: Path) -> None:
    found = measured(tmp_path).set_index("layer")
    assert list(found["model"]) == ["tiny", "tiny"]
    assert list(found["model_batch"]) == [2, 2]
    assert found.loc["scale", ["batch", "occurrences"]].tolist() == [16, 3]
    assert found.loc["training_only", ["batch", "occurrences"]].tolist() == [2, 2]
    (budget,) = budgets.section(found.reset_index())
    assert budget.table.rows[-1][2].figure == 5


def test_a_run_of_some_of_the_layers_has_no_budget(tmp_path: Path) -> None:
    found = measured(tmp_path, layers=("scale",))
    assert list(found["model"]) == [""]
    assert found["occurrences"].isna().all()
    assert budgets.section(found) == []


def test_a_row_that_occurs_no_times_or_took_none_is_no_ground_to_divide_by() -> None:
    stray = row(model="tiny", model_batch=1, occurrences=NAN)
    assert budgets.section(frame([stray])) == []
    timeless = {**of_model(1e-3, 1), **dict.fromkeys(("latency_s", "latency_low_s"), 0.0)}
    assert len(budgets.section(frame([timeless]))) == 1
