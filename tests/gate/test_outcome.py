"""An outcome's round trip through JSON, and files that are none."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.gate.outcome import CaseOutcome, Finding, Outcome, Side, Verdict, worst
from harness.stats import Interval
from harness.types import UsageError

SIDES = Interval(1e-3, 9e-4, 1.1e-3), Interval(2e-3, 1.8e-3, 2.2e-3)
RATIO = Interval(2.0, 1.9, 2.1)
FINDING = Finding("latency", 1e-3, 2e-3, RATIO, 0.06, 5, Verdict.REGRESSION, *SIDES)
OUTCOME = Outcome(
    base=Side("main", "a" * 40, versions={"torch": "2.13"}),
    head=Side("working tree", "b" * 40, dirty=True, python="3.11.7"),
    threshold=0.05,
    error_rate=0.02,
    started_at="2026-01-01T00:00:00+00:00",
    seconds=12.0,
    budget_s=None,
    machine={"machine_id": "here"},
    command="layerbench regress --base main",
    cases=(
        CaseOutcome("a/b/c/d/e/f/b1", Verdict.REGRESSION, "ok", "ok", "", (FINDING,)),
        CaseOutcome("a/b/c/d/e/f/b2", Verdict.FAILED, "ok", "crashed", "SIGSEGV"),
    ),
    notes=("one",),
)


def test_a_round_trip_changes_nothing() -> None:
    assert Outcome.from_text(json.dumps(OUTCOME.to_json())) == OUTCOME


def _broken(**changes: Any) -> str:
    return json.dumps({**OUTCOME.to_json(), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        _broken(schema=99),
        _broken(threshold=10**400),
        _broken(threshold="0.05"),
        _broken(threshold=True),
        _broken(notes="text"),
        _broken(cases={}),
        _broken(machine=3),
        _broken(base=None),
        _broken(machine={"x": float("nan")}),
        _broken(machine={"x": 10**400}),
        _broken(machine=json.loads("[" * 50 + "]" * 50)),
        _broken(machine={"x": json.loads("[" * 50 + "]" * 50)}),
        _broken(cases=[{**OUTCOME.to_json()["cases"][0], "verdict": "splendid"}]),
        _broken(seconds=None),
    ],
)
def test_what_is_no_outcome_is_refused_in_a_line(text: str) -> None:
    with pytest.raises(UsageError, match="not the result of a gate"):
        Outcome.from_text(text)


@pytest.mark.parametrize("pairs", [1e999, 10**400, -1, 1.5, "5", True])
def test_a_number_of_pairs_that_no_run_makes_is_refused(pairs: Any) -> None:
    data = OUTCOME.to_json()
    data["cases"][0]["findings"][0]["pairs"] = pairs
    with pytest.raises(UsageError):
        Outcome.from_json(data)


@pytest.mark.parametrize(
    "change",
    [
        {"base": 5e-324},
        {"head": 1e300},
        {"head": -1.0},
        {"ratio": {"value": 0.0, "low": 0.0, "high": 0.0}},
        {"ratio": {"value": 1.0, "low": 2.0, "high": 3.0}},
    ],
)
def test_figures_that_nothing_can_have_are_refused(change: dict[str, Any]) -> None:
    data = OUTCOME.to_json()
    data["cases"][0]["findings"][0].update(change)
    with pytest.raises(UsageError):
        Outcome.from_json(data)


def test_the_worst_verdict_wins() -> None:
    assert worst([Verdict.SAME, Verdict.IMPROVEMENT]) is Verdict.IMPROVEMENT
    assert worst([Verdict.IMPROVEMENT, Verdict.REGRESSION]) is Verdict.REGRESSION
    assert worst([]) is Verdict.NOT_COMPARED


def test_new_cases_alone_compare_nothing() -> None:
    new = CaseOutcome("x", Verdict.NEW, "", "planned")
    assert not replace(OUTCOME, cases=(new,)).compared


def test_figures_of_one_side_alone_compare_nothing() -> None:
    undecided = Finding("latency", None, None, None, None, 0, Verdict.INCONCLUSIVE)
    case = CaseOutcome("x", Verdict.INCONCLUSIVE, "planned", "planned", "", (undecided,))
    assert not replace(OUTCOME, cases=(case,)).compared
    counted = replace(undecided, metric="flops", base=4.0, head=4.0, verdict=Verdict.SAME)
    case = replace(case, findings=(undecided, counted))
    assert replace(OUTCOME, cases=(case,)).compared
