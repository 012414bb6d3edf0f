"""What is held at the peak, from events written by hand."""

from __future__ import annotations

from harness.profilers import Parts
from harness.profilers.memory import Event, at_peak

CALL = Event("call")


def taken(address: int, size: int) -> Event:
    return Event("taken", address, size)


def freed(address: int) -> Event:
    return Event("freed", address)


def saved(address: int) -> Event:
    return Event("saved", address)


def test_parts_are_those_of_the_highest_moment_and_add_up() -> None:
    events = [CALL, taken(1, 8), saved(1), taken(2, 100), freed(2), taken(3, 30), freed(1)]
    parts = at_peak(events, {3})
    assert parts == Parts(held_bytes=108, output_bytes=0, saved_bytes=8)
    assert parts.workspace_bytes == 100


def test_of_equally_high_moments_the_last_counts_where_the_result_is_there() -> None:
    events = [CALL, taken(1, 8), taken(2, 4), freed(2), taken(3, 4), freed(1)]
    assert at_peak(events, {3}) == Parts(held_bytes=12, output_bytes=4, saved_bytes=0)


def test_what_was_taken_before_the_call_and_is_still_there_counts() -> None:
    events = [taken(1, 8), saved(1), taken(2, 500), freed(2), CALL, taken(3, 30)]
    assert at_peak(events, {3}) == Parts(held_bytes=38, output_bytes=30, saved_bytes=8)


def test_a_peak_before_the_call_is_not_the_calls() -> None:
    assert at_peak([taken(1, 500), freed(1), CALL, taken(1, 5)], set()).held_bytes == 5


def test_a_call_that_takes_nothing_holds_what_was_there() -> None:
    assert at_peak([taken(1, 8), CALL, freed(1)], set()) == Parts(8, 0, 0)


def test_an_output_that_is_saved_too_counts_once() -> None:
    assert at_peak([CALL, taken(1, 8), saved(1)], {1}) == Parts(8, output_bytes=8, saved_bytes=0)


def test_an_address_that_is_used_again_is_another_block() -> None:
    events = [CALL, taken(1, 8), saved(1), freed(1), taken(1, 9), freed(1), taken(1, 3)]
    assert at_peak(events, {1}) == Parts(9, output_bytes=0, saved_bytes=0)


def test_what_was_there_before_the_first_event_is_left_out() -> None:
    assert at_peak([CALL, freed(7), saved(8), taken(1, 4)], {8}) == Parts(4, 0, 0)


def test_parts_that_cannot_be_told_leave_the_rest_unknown() -> None:
    assert Parts(None, 4, 0).workspace_bytes is None
    assert Parts(9, 4, None).workspace_bytes is None
