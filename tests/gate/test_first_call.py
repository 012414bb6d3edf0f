"""Build, compile and first call: a process does them once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from harness.gate.first_call import LEAST_S, THRESHOLD, finding
from harness.gate.outcome import Verdict

NOISE = (1.0, 1.02, 0.99, 1.01, 0.98)


def _verdict(
    base: Sequence[float], head: Sequence[float], cases: int = 1, threshold: float = 0.05
) -> Verdict:
    found = finding(base, head, cases, threshold)
    assert found is not None
    return found.verdict


def _times(seconds: float, noise: Sequence[float] = NOISE) -> list[float]:
    return [seconds * factor for factor in noise]


def test_a_compilation_that_takes_twice_as_long_is_a_regression() -> None:
    assert _verdict(_times(2.0), _times(4.0)) is Verdict.REGRESSION
    assert _verdict(_times(4.0), _times(2.0)) is Verdict.IMPROVEMENT
    assert _verdict(_times(2.0), _times(2.0)) is Verdict.SAME


def test_nobody_waits_for_so_little() -> None:
    assert _verdict(_times(LEAST_S / 4), _times(LEAST_S)) is Verdict.SAME


def test_a_change_below_its_own_threshold_is_the_same() -> None:
    assert _verdict(_times(2.0), _times(2.0 * (1 + THRESHOLD / 2))) is Verdict.SAME


def test_a_larger_threshold_of_the_gate_counts_here_too() -> None:
    assert _verdict(_times(2.0), _times(3.0), threshold=1.0) is Verdict.SAME


def test_one_pair_or_a_wild_spread_closes_nothing() -> None:
    assert _verdict([2.0], [8.0]) is Verdict.INCONCLUSIVE
    assert _verdict([2.0] * 5, [0.1, 9.0, 4.0, 20.0, 5.0]) is Verdict.INCONCLUSIVE


def test_many_cases_share_the_error_rate() -> None:
    head = [3.0, 3.9, 2.8, 4.4, 3.2]
    assert _verdict([2.0] * 5, head, cases=1) is Verdict.REGRESSION
    assert _verdict([2.0] * 5, head, cases=10**4) is Verdict.INCONCLUSIVE


def test_the_time_of_each_side_has_its_interval() -> None:
    found = finding(_times(2.0), _times(4.0), 1, 0.05)
    assert found is not None
    for seconds, known in ((found.base, found.base_interval), (found.head, found.head_interval)):
        assert known is not None
        assert known.value == seconds
        assert known.low < known.value < known.high < known.low * 1.1
    alone = finding([2.0], [4.0], 1, 0.05)
    assert alone is not None
    assert alone.base_interval is None


def test_without_pairs_there_is_nothing_to_judge() -> None:
    assert finding([], [], 1, 0.05) is None


@pytest.mark.parametrize("unread", [0.0, -1.0, math.nan])
def test_a_pair_that_no_clock_can_have_read_does_not_count(unread: float) -> None:
    found = finding([*_times(2.0), unread], [*_times(4.0), 2.0], 1, 0.05)
    assert found is not None
    assert found.pairs == len(NOISE)
    assert found.verdict is Verdict.REGRESSION
    assert finding([unread], [1.0], 1, 0.05) is None
