"""The whole decision, on noise whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from gate import noise

from harness.gate import procedure
from harness.gate.outcome import Verdict
from harness.gate.procedure import FIRST, LOOKS, Decision, Logs, Round, decide

CHANGED = (Verdict.REGRESSION, Verdict.IMPROVEMENT)
CASES = [f"case{index}" for index in range(12)]


def _simulated(
    rng: np.random.Generator,
    kind: str = "normal",
    effects: dict[str, float] | None = None,
    process_sd: float = 0.013,
    block_sd: float = 0.04,
) -> Callable[[Sequence[str]], dict[str, float]]:
    """Rounds of pairs, of which some cases differ by a known relative change."""

    def another(cases: Sequence[str]) -> dict[str, float]:
        logs = noise.log_ratios(rng, kind, len(cases), process_sd, block_sd)
        known = effects or {}
        return {
            case: float(log) + math.log1p(known.get(case, 0.0))
            for case, log in zip(cases, logs, strict=True)
        }

    return another


def _runs(kind: str, count: int, **options: Any) -> list[dict[str, Decision]]:
    rng = np.random.default_rng([len(kind), *kind.encode()])
    return [decide(CASES, _simulated(rng, kind, **options), 0.05) for _ in range(count)]


@pytest.mark.parametrize("kind", noise.KINDS)
def test_no_change_is_found_where_there_is_none(kind: str) -> None:
    runs = _runs(kind, 150)
    alarms = sum(any(d.verdict in CHANGED for d in run.values()) for run in runs)
    assert alarms <= 4, "more than the error rate of 2 % a run explains"


@pytest.mark.parametrize("kind", noise.KINDS)
def test_no_change_is_found_on_a_hopeless_machine(kind: str) -> None:
    runs = _runs(kind, 60, process_sd=0.08, block_sd=0.3)
    alarms = sum(any(d.verdict in CHANGED for d in run.values()) for run in runs)
    assert alarms <= 4, "more than the error rate of 2 % a run explains"


@pytest.mark.parametrize("kind", noise.KINDS)
def test_a_slowdown_of_twice_the_threshold_is_found(kind: str) -> None:
    runs = _runs(kind, 60, effects={"case3": 0.10})
    assert sum(run["case3"].verdict is Verdict.REGRESSION for run in runs) >= 57


def test_faster_and_slower_are_found_alike() -> None:
    slower = _runs("normal", 40, effects={"case3": 0.08})
    faster = _runs("normal", 40, effects={"case3": 1 / 1.08 - 1})
    assert sum(run["case3"].verdict is Verdict.REGRESSION for run in slower) >= 38
    assert sum(run["case3"].verdict is Verdict.IMPROVEMENT for run in faster) >= 38


def test_a_change_below_the_threshold_is_hardly_ever_a_regression() -> None:
    runs = _runs("normal", 100, effects={"case3": 0.03})
    assert sum(run["case3"].verdict in CHANGED for run in runs) <= 3


def test_a_change_at_the_threshold_is_rarely_called_the_same() -> None:
    runs = _runs("normal", 100, effects={"case3": 0.05})
    assert sum(run["case3"].verdict is Verdict.SAME for run in runs) <= 10


def test_intervals_contain_the_truth_as_often_as_they_say() -> None:
    runs = _runs("normal", 100, effects={"case3": 0.02})
    found = [run["case0"].ratio for run in runs]
    hits = sum(ratio is not None and not ratio.excludes(1.0) for ratio in found)
    assert 88 <= hits <= 99


def test_what_is_called_visible_is_found() -> None:
    rng = np.random.default_rng(5)
    seen = [
        decision.visible
        for run in _runs("normal", 5, process_sd=0.05)
        for decision in run.values()
        if decision.visible
    ]
    effects = {"case3": float(np.median(seen))}
    found = [
        decide(CASES, _simulated(rng, effects=effects, process_sd=0.05), 0.05)["case3"].verdict
        for _ in range(60)
    ]
    assert 0.05 < effects["case3"] < 0.2
    assert found.count(Verdict.REGRESSION) >= 51


def test_cases_that_are_decided_cost_nothing_more() -> None:
    asked: list[list[str]] = []
    rng = np.random.default_rng(0)
    inner = _simulated(rng, effects={"case3": 0.2}, process_sd=0.003, block_sd=0.01)

    def another(cases: Sequence[str]) -> dict[str, float]:
        asked.append(list(cases))
        return inner(cases)

    found = decide(CASES, another, 0.05)
    assert [len(cases) for cases in asked[:FIRST]] == [12] * FIRST
    assert asked[FIRST:] == [["case3"]] * LOOKS[0]
    assert found["case3"].pairs == LOOKS[0]
    assert found["case0"].pairs == FIRST


def test_a_candidate_is_judged_by_fresh_pairs_only() -> None:
    """Five lucky first pairs of +20 % must not close the gate on a case that is the same."""
    rng = np.random.default_rng(0)
    made = 0

    def another(cases: Sequence[str]) -> dict[str, float]:
        nonlocal made
        made += 1
        shift = 0.18 if made <= FIRST else 0.0
        return {case: shift + float(rng.normal(0, 0.01)) for case in cases}

    assert decide(["one"], another, 0.05)["one"].verdict not in CHANGED


def _ending(inner: Callable[[Sequence[str]], Logs], rounds: int) -> Round:
    """As many rounds as a budget allows."""
    left = iter(range(rounds))
    return lambda cases: inner(cases) if next(left, None) is not None else None


@pytest.mark.parametrize("rounds", [FIRST, FIRST + 1, FIRST + LOOKS[0] - 1])
def test_more_of_a_budget_never_tells_less(rounds: int) -> None:
    """Plain changes are told by the first pairs, if there is no time to make sure."""
    rng = np.random.default_rng(0)
    inner = _simulated(rng, effects={"case3": 0.2, "case4": 0.04})
    found = decide(CASES, _ending(inner, rounds), 0.05)
    assert found["case3"].verdict is Verdict.REGRESSION
    assert found["case3"].pairs == FIRST
    assert found["case4"].verdict is Verdict.INCONCLUSIVE
    assert found["case0"].verdict is Verdict.SAME


@pytest.mark.parametrize("rounds", [FIRST + 1, FIRST + LOOKS[0], FIRST + LOOKS[1] - 1])
def test_a_budget_that_ends_among_the_candidates_raises_no_false_alarm(rounds: int) -> None:
    rng = np.random.default_rng(rounds)
    alarms = 0
    for _ in range(200):
        noisy = _simulated(rng, "t with 3 degrees", process_sd=0.08)
        found = decide(CASES, _ending(noisy, rounds), 0.05)
        alarms += any(d.verdict in CHANGED for d in found.values())
    assert alarms <= 10, "more than the error rate of 2 % a run explains"


def test_a_budget_that_ends_in_the_first_stage_leaves_the_plain_changes_told() -> None:
    rng = np.random.default_rng(0)
    inner = _simulated(rng, effects={"case3": 0.6})
    found = decide(CASES, _ending(inner, FIRST - 1), 0.05)
    assert found["case3"].verdict is Verdict.REGRESSION
    assert found["case3"].pairs == FIRST - 1
    assert not any(d.verdict in CHANGED for case, d in found.items() if case != "case3")


def test_a_budget_that_ends_in_the_first_stage_raises_no_false_alarm() -> None:
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(300):
        found = decide(CASES, _ending(_simulated(rng, "t with 3 degrees"), 3), 0.05)
        alarms += any(d.verdict in CHANGED for d in found.values())
    assert alarms <= 9


def test_without_any_pair_all_is_inconclusive() -> None:
    found = decide(CASES, lambda cases: None, 0.05)
    assert {decision.verdict for decision in found.values()} == {Verdict.INCONCLUSIVE}
    assert found["case0"].ratio is None
    assert found["case0"].visible is None


def test_a_case_that_fails_in_every_round_ends_the_asking() -> None:
    found = decide(["one"], lambda cases: {}, 0.05)
    assert found["one"].verdict is Verdict.INCONCLUSIVE


def test_any_threshold_is_allowed() -> None:
    rng = np.random.default_rng(1)
    found = decide(CASES, _simulated(rng, effects={"case3": 0.1}), 0.0)
    assert found["case3"].verdict is Verdict.REGRESSION
    assert not any(d.verdict in CHANGED for case, d in found.items() if case != "case3")
    assert procedure.SAME_RATE < 1
