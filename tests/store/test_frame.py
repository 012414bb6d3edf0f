"""Frames: the columns that are promised, the figures that follow from the samples."""

from __future__ import annotations

import errno
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import journals
import pandas as pd
import pytest
from fake_runs import request

import harness
from harness import runner, store
from harness.types import Case, HarnessError, Measurement, Status, UsageError

PROMISED = """
case_id layer family framework framework_version device mode execution dtype threads batch
seq params status reason latency_s latency_low_s latency_high_s latency_p90_s first_call_s
device_time_s samples passes converged warmed peak_memory_bytes parameter_bytes
throughput_per_s tokens_per_s flops bytes flop_per_s roofline_fraction parity_error warnings
machine_id run_id started_at
""".split()  # noqa: SIM905 - as the documentation lists them

Journaled = Callable[..., store.RunRecord]


@pytest.fixture
def journaled(tmp_path: Path) -> Journaled:
    """A run whose journal holds the passes given, one list of samples each."""

    def make(passes: Sequence[Sequence[float]], *more: Measurement, **fields: Any) -> Any:
        run = runner.begin(runner.make_plan(request()), tmp_path, "test")
        settings = {"warmed": True, "converged": True, "flops": 1000, "bytes": 2000, **fields}
        with store.Journal(run.folder) as journal:
            for index, samples in enumerate(passes):
                measurement = Measurement(
                    *(run.cases[0], "latency", index, Status.OK, f"2026-01-0{index + 1}"),
                    samples_s=tuple(samples),
                    **settings,
                )
                journal.append("measurement", measurement.to_json())
            for measurement in more:
                journal.append("measurement", measurement.to_json())
        return run

    return make


def test_the_promised_columns_are_there_with_their_types(measured: Any) -> None:
    frame = measured(layers=("scale", "training_only"))
    assert set(PROMISED) <= set(frame.columns)
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == store.COLUMNS
    assert frame["params"].iloc[0] == {"us": 20}


def test_a_row_by_hand(journaled: Journaled) -> None:
    row = store.load(journaled([[1e-3, 3e-3, 2e-3], [4e-3] * 3, [1e-3] * 3]).folder).iloc[0]
    assert row["latency_s"] == pytest.approx(2e-3)  # the median of the medians 2, 4 and 1 ms
    assert row["latency_low_s"] < 1e-3
    assert row["latency_high_s"] > 4e-3
    assert row["latency_p90_s"] == pytest.approx(4e-3)
    assert (row["samples"], row["passes"]) == (9, 3)
    assert row["throughput_per_s"] == pytest.approx(2 / 2e-3)
    assert row["flop_per_s"] == pytest.approx(1000 / 2e-3)
    assert row["intensity"] == pytest.approx(0.5)
    assert row["started_at"] == "2026-01-01"


def _with_ceiling(run: store.RunRecord, flop_per_s: float, bandwidth: Any) -> pd.Series[Any]:
    ceiling = {
        "framework": "fake",
        "device": "cpu",
        "threads": 1,
        "dtype": "float32",
        "flop_per_s": flop_per_s,
        "bandwidth": bandwidth,
        "call_overhead_s": 1e-6,
    }
    with store.Journal(run.folder) as journal:
        journal.append("ceilings", ceiling)
    return store.load(run.folder).iloc[0]


def test_the_roofline_is_the_slower_of_compute_and_traffic(journaled: Journaled) -> None:
    # 1000 FLOP at 1e6 FLOP/s take 1 ms, 2000 bytes at 1e6 B/s 2 ms: of 4 ms that is a half.
    row = _with_ceiling(journaled([[4e-3]]), 1e6, [[4000, 1e6]])
    assert row["roofline_fraction"] == pytest.approx(0.5)


def test_the_bandwidth_is_that_of_the_working_set(journaled: Journaled) -> None:
    curve = [[1000, 8e6], [2000, 4e6], [64000, 1e6]]  # 2000 bytes do not fit where 1000 do
    row = _with_ceiling(journaled([[4e-3]]), 1e9, curve)
    assert row["roofline_fraction"] == pytest.approx(2000 / 4e6 / 4e-3)


def test_what_lies_between_two_working_sets_may_be_as_fast_as_the_smaller_one(
    journaled: Journaled,
) -> None:
    curve = [[1000, 8e6], [3000, 4e6], [64000, 1e6]]  # the row holds 2000 bytes
    row = _with_ceiling(journaled([[4e-3]]), 1e9, curve)
    assert row["roofline_fraction"] == pytest.approx(2000 / 8e6 / 4e-3)


def test_a_row_above_its_ceiling_is_bound_by_nothing_that_is_known(journaled: Journaled) -> None:
    assert _with_ceiling(journaled([[1e-3]]), 1e6, [[4000, 1e6]])["bound"] == ""
    assert _with_ceiling(journaled([[4e-3]]), 1e6, [[4000, 1e6]])["bound"] == "memory"


def test_a_rate_above_the_ceiling_is_an_error_and_no_triumph(journaled: Journaled) -> None:
    row = _with_ceiling(journaled([[1e-3]]), 1e6, [[4000, 1e6]])
    assert math.isnan(row["roofline_fraction"])
    assert any("error of measurement: 2.00 times" in warning for warning in row["warnings"])


def test_one_pass_says_what_its_interval_rests_on(journaled: Journaled) -> None:
    assert any("one pass only" in w for w in store.load(journaled([[1e-3]]).folder)["warnings"][0])


def _third(status: Status, probe: str = "latency") -> Measurement:
    case = Case.parse("scale/fake/cpu/forward/eager/float32/b2-us=20")
    return Measurement(case, probe, 2, status, "2026-01-03", "died of SIGSEGV")


@pytest.mark.parametrize("status", [Status.CRASHED, Status.TIMEOUT, Status.ERROR, Status.OOM])
def test_a_failure_in_a_later_pass_keeps_what_earlier_ones_measured(
    journaled: Journaled, status: Status
) -> None:
    row = store.load(journaled([[1e-3], [1e-3]], _third(status)).folder).iloc[0]
    assert row["status"] == "ok"
    assert row["latency_s"] == pytest.approx(1e-3)
    assert row["passes"] == 2
    assert f"pass 3 is missing: {status}: died of SIGSEGV" in row["warnings"]


def test_a_failure_of_the_memory_probe_costs_the_memory_only(journaled: Journaled) -> None:
    bad = _third(Status.TIMEOUT, "memory")
    row = store.load(journaled([[1e-3], [1e-3]], bad).folder).iloc[0]
    assert row["status"] == "ok"
    assert math.isnan(row["peak_memory_bytes"])
    assert "peak memory is missing: timeout: died of SIGSEGV" in row["warnings"]


def test_the_row_tells_which_way_the_call_of_the_memory_probe_went(journaled: Journaled) -> None:
    told = replace(
        _third(Status.OK, "memory"),
        execution_path="math",
        operators=12,
        conversions=2,
        warnings=("a sentence",),
        **{f"{part}_bytes": 5 for part in ("output", "saved", "workspace", "peak_allocated")},
    )
    row = store.load(journaled([[1e-3], [1e-3]], told).folder).iloc[0]
    assert (row["execution_path"], row["operators"], row["conversions"]) == ("math", 12, 2)
    assert math.isnan(row["kernels"])
    assert row["saved_bytes"] == row["workspace_bytes"] == row["peak_allocated_bytes"] == 5
    assert "a sentence" in row["warnings"]


def test_a_journal_from_before_paths_were_told_is_read(journaled: Journaled) -> None:
    run = journaled([[1e-3]], _third(Status.OK, "memory"))
    for name in ("execution_path", "operators", "input_bytes", "peak_allocated_bytes"):
        journals.rewrite(run.folder, lambda record, name=name: record.pop(name))
    row = store.load(run.folder).iloc[0]
    assert row["execution_path"] == ""
    assert math.isnan(row["operators"])


def test_a_mismatch_in_any_pass_takes_the_latency(journaled: Journaled) -> None:
    row = store.load(journaled([[1e-3], [1e-3]], _third(Status.MISMATCH)).folder).iloc[0]
    assert row["status"] == "mismatch"
    assert row["reason"] == "died of SIGSEGV (in pass 3)"
    assert math.isnan(row["latency_s"])


def test_samples_come_in_the_order_taken(journaled: Journaled) -> None:
    run = journaled([[1e-3, 3e-3], [2e-3]])
    samples = harness.load_samples(run.folder)
    assert set(samples["machine_id"]) == {run.machine["machine_id"]}
    assert samples["wall_s"].tolist() == [1e-3, 3e-3, 2e-3]
    assert samples["pass_index"].tolist() == [0, 0, 1]
    assert samples["sample"].tolist() == [0, 1, 0]


def test_parquet_holds_the_same_as_the_journal(measured: Any, tmp_path: Path) -> None:
    frame = measured(layers=("scale", "training_only", "sequence"))
    (folder,) = (path.parent for path in tmp_path.rglob("run.json"))
    cases, samples = store.collect(folder)
    pd.testing.assert_frame_equal(store.load(cases), frame)
    pd.testing.assert_frame_equal(store.load_samples(samples), store.load_samples(folder))


def test_a_parquet_file_alone_is_enough(measured: Any, tmp_path: Path) -> None:
    frame = measured()
    (folder,) = (path.parent for path in tmp_path.rglob("run.json"))
    cases, _ = store.collect(folder)
    alone = tmp_path / "elsewhere" / "run"
    alone.mkdir(parents=True)
    cases.rename(alone / cases.name)
    pd.testing.assert_frame_equal(store.load(alone.parent), frame)


def test_parquet_alone_makes_no_report_and_nothing_to_collect(
    measured: Any, tmp_path: Path
) -> None:
    measured()
    (folder,) = (path.parent for path in tmp_path.rglob("run.json"))
    store.collect(folder)
    (folder / "run.json").unlink()
    assert len(store.load(folder)) == 1
    for read in (store.load_runs, store.collect):
        with pytest.raises(UsageError, match=r"holds no run\.json.*; copy the whole folder"):
            read(folder)


def test_parquet_of_the_other_kind_is_refused(measured: Any, tmp_path: Path) -> None:
    measured()
    _, samples = store.collect(tmp_path)
    with pytest.raises(HarnessError, match="has no column layer"):
        store.load(samples)


@pytest.mark.parametrize("paths", [[], (), "", [""], None, 3, [None]])
def test_what_names_no_path_is_refused_in_one_line(paths: Any) -> None:
    with pytest.raises(UsageError, match="give a run's folder or one above it"):
        store.load(paths)


def test_another_file_beside_results_does_not_stand_for_them(measured: Any, tmp_path: Path) -> None:
    measured()
    (plan,) = tmp_path.rglob("run.json")
    assert len(store.load(plan)) == len(store.load(plan.with_name("journal.jsonl"))) == 1
    note = plan.with_name("note.txt")
    note.touch()
    with pytest.raises(UsageError, match=r"note\.txt holds no results; give a run's folder"):
        store.load(note)


def test_a_run_reached_in_two_ways_counts_once(
    measured: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured()
    monkeypatch.chdir(tmp_path)
    assert len(store.load([tmp_path, "results", "."])) == 1


def test_a_folder_that_cannot_be_written_is_told_by_collect(
    measured: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured()

    def refuse(path: Path, content: bytes) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("harness.store.writing.write_atomically", refuse)
    with pytest.raises(UsageError, match=r"cannot write to .*\(Permission denied\)"):
        store.collect(tmp_path)


@pytest.mark.parametrize(
    ("content", "complaint"), [(b"rubbish", "is broken"), (None, "was not written by layerbench")]
)
def test_a_foreign_parquet_file_is_refused(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    path = tmp_path / "cases.parquet"
    if content is None:
        pd.DataFrame({"a": [1]}).to_parquet(path)
    else:
        path.write_bytes(content)
    with pytest.raises(HarnessError, match=complaint):
        store.load(path)


def test_several_folders_become_one_frame(measured: Any, tmp_path: Path) -> None:
    measured()
    measured()
    frame = harness.load(tmp_path)
    assert frame["run_id"].nunique() == 2
    assert len(frame) == 2


def test_runs_in_folders_of_one_name_come_in_the_order_of_their_paths(
    measured: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured()
    (made,) = (file.parent for file in tmp_path.rglob("run.json"))
    names = [f"m{number}" for number in range(8)]
    for name in names:
        shutil.copytree(made, tmp_path / "all" / name / "r")
    there = tmp_path / "all"
    assert [folder.parent.name for folder in store.run_folders(there)] == names
    # As a disk may list them, in whatever order.
    found = Path.rglob
    monkeypatch.setattr(Path, "rglob", lambda *asked: sorted(found(*asked), reverse=True))
    assert [folder.parent.name for folder in store.run_folders(there)] == names
    assert store.latest_run(there) == there / names[-1] / "r"


def test_the_example_is_read_only_when_it_is_named(measured: Any, tmp_path: Path) -> None:
    measured()
    results = tmp_path / "results"
    (machine,) = results.iterdir()
    (results / "example").mkdir()
    machine.rename(results / "example" / machine.name)
    with pytest.raises(HarnessError, match="holds no results"):
        store.load(results)
    with pytest.raises(HarnessError, match="holds no run"):
        store.latest_run(results)
    assert len(store.load(results / "example")) == 1
