"""Arithmetic of a few pairs, against SciPy's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from harness.gate.evidence import mean, visible

LOGS = [0.02, 0.05, -0.01, 0.03, 0.04]


def test_the_interval_is_students() -> None:
    found = mean(LOGS).interval
    wanted = scipy_stats.t.interval(0.95, 4, np.mean(LOGS), scipy_stats.sem(LOGS))
    assert found is not None
    assert (found.low, found.high) == pytest.approx(tuple(np.exp(wanted)))
    assert found.value == pytest.approx(math.exp(np.mean(LOGS)))


def test_the_p_value_is_students() -> None:
    assert mean(LOGS).p_changed == pytest.approx(scipy_stats.ttest_1samp(LOGS, 0).pvalue)


def test_equivalence_is_two_one_sided_tests() -> None:
    above = scipy_stats.ttest_1samp(LOGS, 0.06, alternative="less").pvalue
    below = scipy_stats.ttest_1samp(LOGS, -0.06, alternative="greater").pvalue
    assert mean(LOGS).p_beyond(0.06) == pytest.approx(max(above, below))


def test_earlier_pairs_tell_of_the_spread_only() -> None:
    later = mean([0.1, 0.1, 0.1], [-0.2, 0.2, 0.0])
    assert later.value == pytest.approx(0.1)
    assert later.freedom == 4
    assert later.error == pytest.approx(math.sqrt(0.08 / 4 / 3))


@pytest.mark.parametrize("logs", [[], [0.3]])
def test_fewer_than_two_pairs_prove_nothing(logs: list[float]) -> None:
    known = mean(logs)
    assert (known.interval, known.p_changed, known.p_beyond(0.05)) == (None, 1.0, 1.0)


def test_pairs_that_agree_to_the_last_bit_leave_no_doubt() -> None:
    assert mean([0.25, 0.25, 0.25]).p_changed == 0
    assert mean([0.0, 0.0, 0.0]).p_beyond(0.05) == 0


def test_more_pairs_see_smaller_changes() -> None:
    seen = [visible(LOGS, pairs, math.log(1.01), 0.001) for pairs in (6, 10, 24)]
    known = [change for change in seen if change is not None and change > 0.01]
    assert known == sorted(seen, key=lambda change: -(change or 0)) == seen


def test_one_pair_sees_nothing() -> None:
    assert visible(LOGS, 1, 0.05, 0.001) is None
    assert visible([0.1], 10, 0.05, 0.001) is None
