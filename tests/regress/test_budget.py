"""What a budget leaves time for, played by workers that answer too late."""

from __future__ import annotations

from typing import Any, cast

import pytest

from harness.regress.budget import GRACE_S, Budget, BudgetEndedError
from harness.runner.process import WorkerFailedError, WorkerProcess
from harness.types import Status


class Late:
    """A worker that needs so many seconds for every answer, and notes its time limits."""

    def __init__(self, needs_s: float, status: Status = Status.TIMEOUT) -> None:
        self.limits: list[float] = []
        self._needs_s = needs_s
        self._status = status

    def ask(self, timeout_s: float, **request: Any) -> dict[str, Any]:
        self.limits.append(timeout_s)
        if timeout_s < self._needs_s:
            raise WorkerFailedError(self._status, "no answer")
        return request

    def greeting(self, timeout_s: float) -> dict[str, Any]:
        return self.ask(timeout_s)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still until it is set."""
    clock = [100.0]
    monkeypatch.setattr("harness.regress.budget.time.monotonic", lambda: clock[0])
    return clock


def _ask(budget: Budget, worker: Late, timeout_s: float) -> dict[str, Any]:
    return budget.ask(cast("WorkerProcess", worker))(timeout_s, do="run")


def test_an_answer_may_take_what_is_left(now: list[float]) -> None:
    budget, worker = Budget(60), Late(5)
    assert _ask(budget, worker, 20) == {"do": "run"}
    now[0] += 50
    assert _ask(budget, worker, 20) == {"do": "run"}
    assert worker.limits == [20, 10 + GRACE_S]
    assert not budget.ended


def test_what_the_budget_cuts_off_says_nothing_of_the_case(now: list[float]) -> None:
    budget = Budget(10)
    with pytest.raises(BudgetEndedError):
        _ask(budget, Late(30), 60)
    assert budget.ended


def test_what_takes_longer_than_a_case_may_is_the_cases_fault(now: list[float]) -> None:
    budget = Budget(100)
    with pytest.raises(WorkerFailedError):
        _ask(budget, Late(30), 20)
    with pytest.raises(WorkerFailedError):
        _ask(budget, Late(200, Status.CRASHED), 150)
    assert not budget.ended


def test_a_worker_that_starts_too_slowly_is_cut_off_too(now: list[float]) -> None:
    with pytest.raises(BudgetEndedError):
        Budget(1).greeting(cast("WorkerProcess", Late(30)))


def test_a_part_ends_before_the_whole(now: list[float]) -> None:
    whole = Budget(100)
    part = whole.part(0.5)
    now[0] += 60
    assert whole.affords(30)
    assert not part.affords()
    assert part.ended
    assert not whole.ended
    assert not whole.affords(50)
    assert whole.ended


def test_without_a_limit_everything_is_afforded(now: list[float]) -> None:
    budget = Budget(None)
    now[0] += 1e9
    assert budget.affords(1e9)
    assert budget.part(0.5).affords(1e9)
    assert _ask(budget, Late(5), 20) == {"do": "run"}
