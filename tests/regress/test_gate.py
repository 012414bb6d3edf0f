"""One run of the gate, with real worker processes on the fake framework."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from regress import repository

from harness.gate.outcome import CaseOutcome, Outcome, Verdict
from harness.regress import Asked, Given, regress
from harness.regress.gate import OUTCOME_FILE
from harness.runner import Request

REQUEST = Request.of(
    suites=[repository.LAYERS],
    axes={
        "framework": ["fake"],
        "mode": ["forward"],
        "execution": ["eager"],
        "batch": [4],
        "device": ["cpu"],
    },
)


def _asked(base: str, head: str, results: Path, **options: Any) -> Asked:
    settings: dict[str, Any] = {"request": REQUEST, "threshold": 0.05, "budget_s": None, **options}
    return Asked(Given(base), Given(head), results=results, command="x", **settings)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Outcome, Path, Path]]:
    """(outcome, its folder, the repository): the branch ``before`` against the working tree."""
    folder = repository.make(tmp_path_factory.mktemp("repository") / "code")
    results = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("BUILT_SO_OFTEN", str(results / "built"))
        outcome, kept = regress(_asked("before", ".", results), lambda text: None)
        yield outcome, kept, folder


def _case(outcome: Outcome, layer: str) -> CaseOutcome:
    (found,) = [case for case in outcome.cases if case.case.startswith(f"{layer}/")]
    return found


@pytest.mark.parametrize(
    ("layer", "verdict"),
    [
        ("steady", Verdict.SAME),
        ("slower", Verdict.REGRESSION),
        ("faster", Verdict.IMPROVEMENT),
        ("hungrier", Verdict.REGRESSION),
        ("wrong", Verdict.FAILED),
        ("redefined", Verdict.FAILED),
        ("crashes", Verdict.FAILED),
        ("crashes_once", Verdict.SAME),
        ("crashes_always", Verdict.NOT_COMPARED),
        ("mended", Verdict.FIXED),
        ("more_work", Verdict.REGRESSION),
        ("added", Verdict.NEW),
        ("removed", Verdict.VANISHED),
    ],
)
def test_every_case_of_either_plan_has_its_verdict(
    run: tuple[Outcome, Path, Path], layer: str, verdict: Verdict
) -> None:
    assert _case(run[0], layer).verdict is verdict


def test_the_ratio_is_the_change_that_was_made(run: tuple[Outcome, Path, Path]) -> None:
    for layer, factor in {"slower": 1.2, "faster": 0.8, "steady": 1.0}.items():
        found = _case(run[0], layer).finding("latency")
        assert found is not None
        assert found.ratio is not None
        assert found.ratio.value == pytest.approx(factor, rel=0.01)


def test_only_what_changed_is_blamed(run: tuple[Outcome, Path, Path]) -> None:
    hungrier, more_work = (_case(run[0], layer) for layer in ("hungrier", "more_work"))
    assert [f.metric for f in hungrier.findings if f.verdict.bad] == ["peak_memory"]
    assert [f.metric for f in more_work.findings if f.verdict.bad] == ["flops"]


def test_failures_say_how(run: tuple[Outcome, Path, Path]) -> None:
    assert _case(run[0], "wrong").head_status == "mismatch"
    assert "reference" in _case(run[0], "redefined").reason
    assert "SIGABRT" in _case(run[0], "crashes").reason


def test_a_crash_that_does_not_repeat_is_told_and_is_no_verdict(
    run: tuple[Outcome, Path, Path],
) -> None:
    (note,) = run[0].notes
    assert "failed once, and not when tried again: crashes_once/" in note
    assert "SIGABRT" in note


def test_sides_are_told(run: tuple[Outcome, Path, Path]) -> None:
    outcome, _, folder = run
    assert outcome.base.given == "before"
    assert outcome.base.commit == repository.git(folder, "rev-parse", "before")
    assert outcome.head.commit == repository.git(folder, "rev-parse", "HEAD")
    assert outcome.base.versions == {"fake": "1.0", "fake_parts": "0.1"}


def test_the_outcome_is_kept_and_reads_back(run: tuple[Outcome, Path, Path]) -> None:
    outcome, kept, _ = run
    data = json.loads((kept / OUTCOME_FILE).read_text(encoding="utf-8"))
    assert Outcome.from_json(data) == outcome


def test_nothing_is_left_in_the_repository(run: tuple[Outcome, Path, Path]) -> None:
    folder = run[2]
    assert repository.git(folder, "worktree", "list").count("\n") == 0
    assert not repository.git(folder, "status", "--porcelain", "--", repository.LAYERS)


def test_an_ended_budget_is_told(run: tuple[Outcome, Path, Path], tmp_path: Path) -> None:
    outcome, _ = regress(_asked("before", ".", tmp_path, budget_s=1e-3), lambda text: None)
    assert _case(outcome, "slower").verdict is Verdict.INCONCLUSIVE
    assert any("budget" in note for note in outcome.notes)
    assert _case(outcome, "removed").verdict is Verdict.VANISHED
