"""From several readings of a case's memory and counts to one figure each."""

from __future__ import annotations

from harness.regress.counts import together


def test_the_median_of_a_peak_counts_what_is_too_small_to_read_as_nothing() -> None:
    assert together([{"peak_memory": 8.0}, {"peak_memory": None}, {"peak_memory": 6.0}]) == {
        "peak_memory": 6.0
    }
    assert together([{"peak_memory": None}, {"peak_memory": None}]) == {}


def test_a_count_that_is_not_always_the_same_is_none_to_compare() -> None:
    steady, drawn = {"operators": 7.0}, {"operators": 9.0}
    assert together([steady, steady, steady]) == steady
    assert together([steady, drawn, steady]) == {"operators": None}


def test_a_count_that_one_reading_lacks_is_not_taken_for_0() -> None:
    assert together([{"flops": 0.0}, {"flops": None}]) == {"flops": None}
