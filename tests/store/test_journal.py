"""The journal on disk: written when append returns, and read back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_runs import request

from harness import runner, store
from harness.store.journal import read_journal
from harness.types import UsageError


@pytest.fixture
def begun(tmp_path: Path) -> store.RunRecord:
    return runner.begin(runner.make_plan(request()), tmp_path, "test")


def test_a_plan_is_read_back_as_it_was_written(begun: store.RunRecord) -> None:
    assert store.read_run(begun.folder) == begun


def test_each_record_is_on_disk_when_append_returns(begun: store.RunRecord) -> None:
    with store.Journal(begun.folder) as journal:
        journal.append("note", {"n": 1})
        assert list(read_journal(begun.folder)) == [(1, {"kind": "note", "n": 1})]


def test_numbers_that_json_cannot_hold_are_not_written(begun: store.RunRecord) -> None:
    with store.Journal(begun.folder) as journal, pytest.raises(ValueError, match="JSON"):
        journal.append("note", {"n": float("nan")})


def test_a_path_without_results_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no results"):
        store.load(tmp_path)
    with pytest.raises(UsageError, match="does not exist"):
        store.load(tmp_path / "absent")
