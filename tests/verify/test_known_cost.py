"""A reading that is off by more than a hundredth does not pass for a known cost."""

from __future__ import annotations

import pytest
from workers import Scripted

from harness.types import Case
from harness.verify import known_cost
from harness.verify.row import Row, Verdict


def found(factor: float, block_s: float) -> list[Row]:
    def call_s(case: Case) -> float:
        return factor * dict(case.params).get("us", 0.1) * 1e-6  # type: ignore[operator]

    worker = Scripted(call_s, block_s)
    return list(known_cost.measured(worker.ask, "torch", 1e-7))


def test_true_readings_pass_and_the_cost_of_an_empty_call_is_told() -> None:
    *bounded, empty = found(1.0, 3e-7)
    assert [row.verdict for row in bounded] == [Verdict.OK] * 6
    assert empty.verdict is Verdict.NOTED
    assert empty.found == "100 ns"


@pytest.mark.parametrize("factor", [0.985, 1.015, 10.0])
def test_a_reading_that_is_off_fails(factor: float) -> None:
    assert [row.verdict for row in found(factor, 0.0)[:5]] == [Verdict.FAILS] * 5


def test_a_disturbed_machine_is_told_from_a_harness_that_adds() -> None:
    disturbed = known_cost.judge(1e-2, [1.0001e-2, 1.4e-2, 1.4e-2])
    assert disturbed.verdict is Verdict.UNCLEAR
    assert known_cost.judge(1e-2, [1.02e-2, 1.02e-2, 1.4e-2]).verdict is Verdict.FAILS


def test_a_block_that_costs_more_than_a_thousandth_fails() -> None:
    rows = found(1.0, 2e-6)
    assert rows[5].verdict is Verdict.FAILS
    assert "0.200%" in rows[5].found
