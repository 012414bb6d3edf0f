"""A peak that is off, carried over or claimed below the resolution does not pass."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from workers import Scripted

from harness.types import Case
from harness.verify import memory
from harness.verify.row import Row, Verdict


def known(case: Case) -> int:
    return int(dict(case.params)["kib"]) * 1024


def found(
    peak_bytes: Callable[[Case], int], available: int = 2**40, call_s: float = 1e-4
) -> list[Row]:
    worker = Scripted(lambda case: call_s, peak_bytes=peak_bytes)
    return list(memory.measured(worker.ask, "torch", "cpu", available))


def test_true_peaks_pass_and_a_small_one_is_told_as_below_what_can_be_seen() -> None:
    rows = found(known)
    assert {row.verdict for row in rows} == {Verdict.OK}
    assert rows[0].found == "VmHWM, below 256 KiB"


@pytest.mark.parametrize("factor", [0.0, 0.97, 1.03, 2.0])
def test_a_large_peak_that_is_off_fails(factor: float) -> None:
    rows = found(lambda case: int(factor * known(case)))
    assert rows[1].check == "torch cpu, 1.00 GiB"
    assert rows[1].verdict is Verdict.FAILS


def test_what_is_carried_over_from_the_case_before_fails() -> None:
    largest = [0]

    def grown(case: Case) -> int:
        largest[0] = max(largest[0], known(case))
        return largest[0]

    assert [row.verdict for row in found(grown)[1:7]] == [Verdict.OK] + [Verdict.FAILS] * 5


def test_a_peak_in_a_long_call_proves_nothing_about_short_ones() -> None:
    assert found(known, call_s=2e-3)[-1].verdict is Verdict.FAILS


def test_a_size_that_the_machine_has_no_room_for_is_left_out() -> None:
    assert found(known, available=2**30)[1].verdict is Verdict.SKIPPED
