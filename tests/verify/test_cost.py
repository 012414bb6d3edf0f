"""What others took is brought to the same width before it is compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_runs import request

from harness import store
from harness.verify import cost
from harness.verify.row import Verdict


def test_half_the_width_in_four_times_the_time_is_the_same_rate() -> None:
    assert cost.rows_a_minute([(1.0, 0.01)]) == pytest.approx(60)
    assert cost.rows_a_minute([(4.0, 0.005)] * 3) == pytest.approx(60)
    assert cost.rows_a_minute([(1.0, 0.02)]) == pytest.approx(15)


def test_the_time_of_a_sweep_is_told_by_request() -> None:
    share, where = cost._of_sweep(request())
    assert share.check == "share of quick inside timed blocks"
    assert where.verdict is Verdict.NOTED
    for what in ("start", "prepare", "check", "run", "memory", "the parent"):
        assert what in where.found


def test_a_synthetic_journal_loads_as_rows(tmp_path: Path) -> None:
    cost.write_journal(tmp_path, 20)
    frame = store.load(tmp_path)
    assert len(frame) == 20
    assert set(frame["status"]) == {"ok"}
    assert frame["samples"].tolist() == [cost.SAMPLES] * 20
