"""What operators cost of their own, from operations written by hand."""

from __future__ import annotations

import pytest

from harness.profilers import Allocation, Operation, Trace
from harness.profilers.operators import Cost, costs, timeline

OUTER = Operation("outer", 1, 0.0, 10.0)
INNER = Operation("inner", 1, 2.0, 5.0)
INNERMOST = Operation("innermost", 1, 3.0, 4.0)


def cost(trace: Trace, name: str) -> Cost:
    (found,) = (cost for cost in costs(trace) if cost.name == name)
    return found


def test_time_within_others_is_not_an_operators_own() -> None:
    trace = Trace((INNERMOST, OUTER, INNER))
    own = {cost.name: cost.self_s for cost in costs(trace)}
    assert own == pytest.approx({"outer": 7.0, "inner": 2.0, "innermost": 1.0})
    assert cost(trace, "outer").total_s == 10.0
    assert sum(own.values()) == pytest.approx(10.0)


def test_the_one_with_most_time_of_its_own_is_first() -> None:
    wrapper = Operation("wrapper", 1, 0.0, 5.5)
    assert [cost.name for cost in costs(Trace((wrapper, Operation("work", 1, 0.0, 5.0))))] == [
        "work",
        "wrapper",
    ]


def test_calls_of_one_operator_add_up_and_lanes_are_apart() -> None:
    there = Operation("inner", 2, 2.0, 6.0)
    kernel = Operation("inner", -1, 2.0, 3.0, is_kernel=True)
    found = costs(Trace((OUTER, INNER, there, kernel)))
    host = next(cost for cost in found if cost.name == "inner" and not cost.is_kernel)
    assert (host.calls, host.self_s) == (2, pytest.approx(7.0))
    assert next(cost for cost in found if cost.is_kernel).self_s == pytest.approx(1.0)


def test_operators_that_follow_each_other_do_not_contain_each_other() -> None:
    follower = Operation("next", 1, 10.0, 12.0)
    assert cost(Trace((OUTER, follower)), "outer").self_s == pytest.approx(10.0)


def test_memory_belongs_to_the_innermost_operator_of_its_lane() -> None:
    allocations = tuple(
        Allocation(lane, at, size)
        for lane, at, size in ((1, 1.0, 7), (1, 3.5, 100), (2, 3.5, 9), (1, 4.5, -60), (1, 11.0, 5))
    )
    trace = Trace((OUTER, INNER, INNERMOST), allocations)
    assert cost(trace, "outer").memory_bytes == 7
    assert cost(trace, "inner").memory_bytes == -60
    assert cost(trace, "innermost").memory_bytes == 100


def test_the_timeline_sums_what_is_held() -> None:
    allocations = (Allocation(1, 1.0, 7), Allocation(2, 2.0, 100), Allocation(1, 3.0, -7))
    assert timeline(Trace((), allocations)) == [(1.0, 7), (2.0, 107), (3.0, 100)]
