"""How long a run of the gate may take, and what becomes of a question that it ends in."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, TypeVar

from harness.runner.process import START_TIMEOUT_S, WorkerFailedError, WorkerProcess
from harness.runner.sampling import Ask
from harness.types import Status

GRACE_S = 2.0
"""Beyond the budget, so that turns that are nearly done are not thrown away."""

_Answer = TypeVar("_Answer")


class BudgetEndedError(Exception):
    """The budget ended while a worker was at a case, of which this says nothing."""


class Budget:
    """Seconds that may be spent from now on.

    Attributes:
        ended: whether something was left out for want of time.
    """

    def __init__(self, seconds: float | None) -> None:
        """Starts to count; None is no limit."""
        self._deadline = math.inf if seconds is None else time.monotonic() + seconds
        self.ended = False

    def part(self, share: float) -> Budget:
        """So much of what is left, as a budget of its own."""
        left = self._deadline - time.monotonic()
        return Budget(None if math.isinf(left) else share * left)

    def affords(self, seconds: float = 0.0) -> bool:
        """Whether so many seconds are left."""
        enough = time.monotonic() + seconds <= self._deadline
        self.ended = self.ended or not enough
        return enough

    def greeting(self, worker: WorkerProcess) -> dict[str, Any]:
        """A worker's greeting.

        Raises:
            WorkerFailedError: it could not start.
            BudgetEndedError: it was not there in time, and is gone.
        """
        return self._within(START_TIMEOUT_S, worker.greeting)

    def ask(self, worker: WorkerProcess) -> Ask:
        """How to ask a worker, so that its answer comes within the budget.

        What is returned raises what `WorkerProcess.ask` raises, or `BudgetEndedError`; the worker
        is gone then.
        """

        def asked(timeout_s: float, **request: Any) -> dict[str, Any]:
            return self._within(timeout_s, lambda limit_s: worker.ask(limit_s, **request))

        return asked

    def _within(self, timeout_s: float, question: Callable[[float], _Answer]) -> _Answer:
        left_s = max(0.0, self._deadline + GRACE_S - time.monotonic())
        try:
            return question(min(timeout_s, left_s))
        except WorkerFailedError as failure:
            if failure.status is Status.TIMEOUT and left_s < timeout_s:
                self.ended = True
                raise BudgetEndedError from failure
            raise
