"""The rows of the proof of scale are such as a run leaves, however few are asked for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from harness import compare, store
from harness.gate import history
from harness.verify import drawn_runs, scale
from harness.verify.row import Verdict

FEW = 320


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scale")
    assert list(drawn_runs.write(str(folder), FEW)) == [FEW]
    return folder


def test_rows_are_of_several_machines_and_runs_and_read_from_parquet(
    drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "harness.store.frame.cases_of", lambda folder: pytest.fail("from a journal")
    )
    frame = store.load(drawn)
    assert len(frame) == FEW
    assert frame["machine_id"].nunique() == drawn_runs.MACHINES
    assert len(compare.latest(frame)) == FEW // drawn_runs.RUNS
    assert {"ok", "oom", "unsupported"} <= set(frame["status"])
    assert frame.loc[frame["status"] != "ok", "latency_s"].isna().all()
    assert (frame.loc[frame["status"] == "ok", "latency_s"] > 0).all()
    assert frame["warnings"].map(len).any()


def test_the_same_rows_are_drawn_each_time(drawn: Path, tmp_path: Path) -> None:
    list(drawn_runs.write(str(tmp_path), FEW))
    pd.testing.assert_frame_equal(store.load(tmp_path), store.load(drawn))


def test_runs_are_whole_plans_with_ceilings(drawn: Path) -> None:
    runs = store.load_runs(drawn)
    assert len(runs) == drawn_runs.MACHINES * drawn_runs.RUNS
    assert {run["planned"] for run in runs} == {FEW // len(runs)}
    assert all(run["ceilings"] for run in runs)


def test_the_proof_tells_time_and_memory_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "ROWS", FEW)
    monkeypatch.setattr(scale, "CORES", 1)
    found = list(scale._of_many_rows())
    assert [bool(row.expected) for row in found] == [True, True, True, False, False]
    assert found[1].verdict is Verdict.OK, "so few rows take little memory"
    assert f"{FEW} rows of 2 runs each of 8 machines" in found[0].check
    assert found[1].found.endswith("MiB")
    assert ".html" in found[-1].found


def test_a_long_history_has_a_change_among_the_runs_that_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (drawn_runs, history):
        monkeypatch.setattr(module, "MOST_RUNS", 20)
    ((count, first),) = drawn_runs.write_history(str(tmp_path), 24, 12)
    assert count == 12 * 24
    (found,) = history.histories(store.load(tmp_path), store.load_runs(tmp_path))
    assert (len(found.runs), found.earlier) == (20, 4)
    moved = {case.runs[change.at] for case in found.cases for change in case.changes}
    assert first in moved
    assert not any(case.changes for case in found.cases[drawn_runs.MOVED :])


def test_the_proof_of_a_long_history_tells_time_size_and_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scale, "HISTORY_CASES", 12)
    monkeypatch.setattr(scale, "HISTORY_RUNS", 24)
    monkeypatch.setattr(scale, "CORES", 1)
    report, size, change, written = scale._of_many_runs()
    assert "24 runs of one machine, 288 rows" in report.check
    assert size.verdict is Verdict.OK, "so few runs make a small page"
    assert change.verdict is Verdict.OK
    assert ".html" in written.found
