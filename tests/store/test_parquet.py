"""Parquet is read in place of a journal only as long as it holds the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import journals
import pandas as pd
import pytest
from frames import frame, row

from harness import store
from harness.store import parquet
from harness.store.records import sorted_out

Measured = Callable[..., pd.DataFrame]


@pytest.fixture
def collected(measured: Measured, tmp_path: Path) -> Path:
    """The folder of a run whose rows are in its Parquet file, too."""
    measured(layers=("scale", "training_only"))
    (folder,) = (path.parent for path in tmp_path.rglob("run.json"))
    store.collect(folder)
    return folder


@pytest.fixture
def journals_read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders whose journals were read for their rows."""
    read: list[Path] = []

    def counting(run: store.RunRecord) -> store.Journaled:
        read.append(run.folder)
        return sorted_out(run)

    monkeypatch.setattr("harness.store.reading.sorted_out", counting)
    return read


def test_a_collected_run_is_not_read_from_its_journal(
    collected: Path, journals_read: list[Path]
) -> None:
    loaded = store.load(collected)
    assert journals_read == []
    pd.testing.assert_frame_equal(loaded, store.cases_of(collected))


def test_a_journal_that_grew_since_is_read(collected: Path, journals_read: list[Path]) -> None:
    found = journals.records(collected)
    measured = next(record for record in found if record.get("status") == "ok")
    journals.write(collected, [*found, {**measured, "pass_index": 1}])
    assert store.load(collected)["passes"].max() == 2
    assert journals_read == [collected]


def test_a_plan_or_a_journal_that_was_changed_in_place_is_read(
    collected: Path, journals_read: list[Path]
) -> None:
    plan = (collected / "run.json").read_bytes()
    journals.change_plan(collected, command="another")
    store.load(collected)
    (collected / "run.json").write_bytes(plan)
    journals.rewrite(collected, lambda record: record.update(note="another"))
    store.load(collected)
    assert journals_read == [collected] * 2


def test_rows_that_other_code_made_are_made_anew(
    collected: Path, journals_read: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_code", lambda: b"of another version")
    store.load(collected)
    assert journals_read == [collected]


def test_runs_of_either_kind_become_one_frame_in_their_order(
    measured: Measured, tmp_path: Path
) -> None:
    for layers in (("scale",), ("training_only",), ("scale", "training_only")):
        measured(layers=layers)
    folders = sorted((path.parent for path in tmp_path.rglob("run.json")), key=lambda one: one.name)
    from_journals = store.load(tmp_path)
    for folder in (folders[0], folders[2]):
        store.collect(folder)
    pd.testing.assert_frame_equal(store.load(tmp_path), from_journals)
    store.collect(folders[1])
    pd.testing.assert_frame_equal(store.load(tmp_path), from_journals)


def test_lists_are_each_row_s_own(tmp_path: Path) -> None:
    stored = frame([row(warnings=["a", "b"]), row(batch=1), row(batch=2, audit=["trend"])])
    (tmp_path / "cases.parquet").write_bytes(store.to_parquet(stored))
    loaded = store.load(tmp_path / "cases.parquet")
    assert loaded["warnings"].tolist() == [["a", "b"], [], []]
    assert loaded["audit"].tolist() == [[], [], ["trend"]]
    loaded["warnings"][1].append("mine")
    assert loaded["warnings"].tolist() == [["a", "b"], ["mine"], []]


def test_parameters_come_back_with_their_types(tmp_path: Path) -> None:
    params: list[dict[str, Any]] = [{"a": 1, "b": 0.5, "c": True, "d": "text"}, {}, {"a": 1}]
    stored = frame([row(params=one, batch=index + 1) for index, one in enumerate(params)])
    (tmp_path / "cases.parquet").write_bytes(store.to_parquet(stored))
    loaded = store.load(tmp_path)
    assert loaded["params"].tolist() == params
    assert [type(value) for value in loaded["params"][0].values()] == [int, float, bool, str]


def test_an_empty_frame_keeps_its_types(tmp_path: Path) -> None:
    (tmp_path / "cases.parquet").write_bytes(store.to_parquet(store.empty()))
    loaded = store.load(tmp_path)
    assert {name: str(kind) for name, kind in loaded.dtypes.items()} == store.COLUMNS
    assert loaded.empty


def test_what_a_run_was_is_known_without_its_measurements(collected: Path) -> None:
    (whole,) = store.load_runs(collected)
    assert whole["planned"] == 2
    assert whole["ceilings"]
    assert whole["workers"]
    journal = collected / "journal.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    broken = ['{"kind": "measurement", \n' if '"measurement"' in line else line for line in lines]
    journal.write_text("".join(broken), encoding="utf-8")
    assert store.load_runs(collected) == [whole]
    with pytest.warns(store.DamagedResultsWarning, match="checksum does not fit"):
        store.load(collected)
