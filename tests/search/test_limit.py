"""The limit that is found is the limit, on step functions of every kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.search import limit
from harness.search.limit import Outcome, Try
from harness.types import Status

FITS, FULL = Outcome(Status.OK), Outcome(Status.OOM, "no room")


def step(largest: int) -> Callable[[int], Outcome]:
    return lambda value: FITS if value <= largest else FULL


def tries(ask: Callable[[int], Outcome], first: int = 16, up_to: int = 10**9) -> list[Try]:
    return list(limit.search(ask, first, up_to))


@pytest.mark.parametrize("first", [1, 16, 100])
def test_every_limit_up_to_the_exact_range_is_found_to_the_unit(first: int) -> None:
    for largest in (*range(1, 300), 1000, 2047, 2048, 2049, 4095, 4096):
        found = limit.conclude(tries(step(largest), first))
        assert found.best is not None
        assert found.next is not None
        assert (found.best.value, found.verified, found.unsteady) == (largest, True, ())
        assert found.bounded
        assert found.next.value == largest + 1 or found.best.value >= limit.EXACT_UP_TO


@pytest.mark.parametrize("largest", [5000, 123_456, 2**20, 2**20 - 1, 7_654_321])
def test_a_large_limit_is_found_within_a_hundredth(largest: int) -> None:
    found = limit.conclude(tries(step(largest)))
    assert found.best is not None
    assert found.next is not None
    assert found.best.value <= largest < found.next.value <= 1.01 * found.best.value
    assert found.bounded
    assert found.verified


def test_the_number_of_tries_grows_with_the_logarithm() -> None:
    assert len(tries(step(4000))) <= 2 * 12 + 2
    assert len(tries(step(10**6))) <= 17 + 8 + 2


def test_no_value_is_tried_twice_but_the_one_that_is_verified() -> None:
    tried = [t.value for t in tries(step(777))]
    assert tried[-1] == 777
    assert len(tried) == len(set(tried)) + 1


def test_a_limit_below_the_first_value_is_found() -> None:
    found = limit.conclude(tries(step(3), first=16))
    assert found.best is not None
    assert (found.best.value, found.verified) == (3, True)


def test_where_nothing_fits_the_smallest_size_has_been_tried() -> None:
    tried = tries(step(0))
    found = limit.conclude(tried)
    assert found.best is None
    assert found.bounded
    assert min(t.value for t in tried) == 1


@pytest.mark.parametrize("up_to", [16, 17, 100, 1024])
def test_the_search_ends_at_the_largest_value_of_interest(up_to: int) -> None:
    tried = tries(step(10**6), up_to=up_to)
    found = limit.conclude(tried)
    assert found.best is not None
    assert (found.best.value, found.next, found.verified) == (up_to, None, True)
    assert not found.bounded
    assert max(t.value for t in tried) == up_to


@pytest.mark.parametrize("status", [Status.TIMEOUT, Status.ERROR, Status.CRASHED])
def test_what_is_no_want_of_memory_ends_the_search_and_is_no_limit(status: Status) -> None:
    def ask(value: int) -> Outcome:
        return FITS if value < 60 else Outcome(status, "something else")

    tried = tries(ask)
    found = limit.conclude(tried)
    assert [t.value for t in tried] == [16, 32, 64]
    assert found.best is not None
    assert found.next is not None
    assert (found.best.value, found.next.value, found.bounded) == (32, 64, False)


def test_a_timeout_while_bisecting_is_no_limit_either() -> None:
    def ask(value: int) -> Outcome:
        return step(100)(value) if value != 96 else Outcome(Status.TIMEOUT, "too slow")

    found = limit.conclude(tries(ask))
    assert found.best is not None
    assert found.next is not None
    assert (found.best.value, found.next.outcome.status) == (64, Status.TIMEOUT)
    assert not found.bounded


def test_a_value_that_fits_once_and_not_again_does_not_count() -> None:
    asked: list[int] = []

    def ask(value: int) -> Outcome:
        asked.append(value)
        return FULL if value > 100 or (value > 98 and asked.count(value) > 1) else FITS

    found = limit.conclude(tries(ask))
    assert found.best is not None
    assert found.next is not None
    assert (found.best.value, found.next.value, found.verified) == (98, 99, True)
    assert found.unsteady == (99, 100)


def test_a_search_that_is_cut_short_says_what_is_known() -> None:
    tried = tries(step(100))
    for count in range(1, len(tried)):
        found = limit.conclude(tried[:count])
        assert not found.verified
        assert found.best is not None
        assert found.best.value <= 100
