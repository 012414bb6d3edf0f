"""Two timers agree if their paired ratio is near 1, however noisy each is."""

from __future__ import annotations

import numpy as np
import pytest

from harness.runner import make_plan
from harness.runner.request import Request
from harness.verify import agreement
from harness.verify.row import Verdict

NOISE = np.exp(np.random.default_rng(0).normal(0, 0.2, 60)) * 1e-3


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(1.0, Verdict.OK), (1.015, Verdict.OK), (1.03, Verdict.FAILS), (0.97, Verdict.FAILS)],
)
def test_what_disturbs_both_is_no_difference_and_a_factor_is(
    factor: float, verdict: Verdict
) -> None:
    row = agreement.judge("a case", "another", (NOISE * factor).tolist(), NOISE.tolist())
    assert row.verdict is verdict
    assert row.found.startswith(f"{factor:.3f} ({factor:.3f} to {factor:.3f})")


def test_what_noise_alone_can_explain_fails_nobody() -> None:
    others = NOISE[::-1] * 0.97
    row = agreement.judge("a case", "another", NOISE.tolist(), others.tolist())
    assert row.verdict is Verdict.UNCLEAR


def test_a_case_too_short_to_tell_counts_neither_way() -> None:
    assert agreement.judge("a case", "another", [5e-5] * 9, [4e-5] * 9).verdict is Verdict.SKIPPED


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_at_least_twenty_cases_are_compared_and_each_exists(framework: str) -> None:
    ids = [case.id for case in agreement.cases(framework)]
    assert len(set(ids)) >= 20
    if not agreement.bench.installed([framework]):
        pytest.skip(f"{framework} is not installed")
    assert [case.id for case in make_plan(Request(cases=ids)).cases] == ids


def test_a_loop_by_hand_counts_each_call_once() -> None:
    calls = []

    def call() -> tuple[bytes, tuple[()]]:
        calls.append(1)
        return b"", ()

    assert 0 < agreement._by_hand(call, 7) < 1
    assert len(calls) == 7
