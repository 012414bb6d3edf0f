"""The journal on disk: what a crash leaves, what a newer version left, what is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_runs import request

from harness import runner, store
from harness.store.journal import read_journal
from harness.types import HarnessError, UsageError


@pytest.fixture
def begun(tmp_path: Path) -> store.RunRecord:
    return runner.begin(runner.make_plan(request()), tmp_path, "test")


def test_a_plan_is_read_back_as_it_was_written(begun: store.RunRecord) -> None:
    assert store.read_run(begun.folder) == begun


def test_each_record_is_on_disk_when_append_returns(begun: store.RunRecord) -> None:
    with store.Journal(begun.folder) as journal:
        journal.append("note", {"n": 1})
        assert list(read_journal(begun.folder)) == [(1, {"kind": "note", "n": 1})]


@pytest.mark.parametrize(
    "line", ["{}", "[]", "7", '{"kind": "measurement"}', '{"kind": "measurement", "case": 3}']
)
def test_a_line_that_is_json_and_no_record_is_named(begun: store.RunRecord, line: str) -> None:
    (begun.folder / "journal.jsonl").write_text(f'{{"kind": "note"}}\n{line}\n')
    with pytest.raises(HarnessError, match="line 2, is broken"):
        store.load(begun.folder)


def test_a_torn_last_line_is_passed_over_and_cut_off_before_writing_on(
    begun: store.RunRecord,
) -> None:
    path = begun.folder / "journal.jsonl"
    path.write_text('{"kind": "note", "n": 1}\n{"kind": "no')
    assert [record["n"] for _, record in read_journal(begun.folder)] == [1]
    with store.Journal(begun.folder) as journal:
        journal.append("note", {"n": 2})
    assert [record["n"] for _, record in read_journal(begun.folder)] == [1, 2]


def test_a_broken_line_in_the_middle_is_named(begun: store.RunRecord) -> None:
    (begun.folder / "journal.jsonl").write_text('{"kind": "note"}\nrubbish\n{"kind": "note"}\n')
    with pytest.raises(HarnessError, match="line 2, is broken"):
        store.load(begun.folder)


def test_numbers_that_json_cannot_hold_are_not_written(begun: store.RunRecord) -> None:
    with store.Journal(begun.folder) as journal, pytest.raises(ValueError, match="JSON"):
        journal.append("note", {"n": float("nan")})


def _changed(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    path = folder / "run.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def test_a_newer_run_is_refused(begun: store.RunRecord) -> None:
    _changed(begun.folder, lambda data: data.update(schema=99))
    with pytest.raises(HarnessError, match="schema 99, this layerbench reads up to 1"):
        store.load(begun.folder)


def test_a_broken_plan_is_told_in_one_line(begun: store.RunRecord) -> None:
    _changed(begun.folder, lambda data: data.pop("cases"))
    with pytest.raises(HarnessError, match=r"run\.json is broken") as error:
        store.load(begun.folder)
    assert "\n" not in str(error.value)


def test_a_path_without_results_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no results"):
        store.load(tmp_path)
    with pytest.raises(UsageError, match="does not exist"):
        store.load(tmp_path / "absent")
