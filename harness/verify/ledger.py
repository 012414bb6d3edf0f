"""Where the time goes that a parent waits for its workers."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any
from unittest import mock

from harness.runner.process import WorkerProcess


def timed_s(request: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    """Seconds inside timed calls that a worker's answer tells of."""
    calls = request.get("calls", 1)
    return float(
        answer.get("first_call_s", 0.0)
        + sum(answer.get("wall_s", ())) * calls
        + sum(answer.get("doubled_s", ())) * 2 * calls
    )


@contextlib.contextmanager
def ledger() -> Iterator[dict[str, float]]:
    """Fills, while it is open, with the seconds that workers were waited for, by request.

    ``timed`` is the part of all that lies inside calls whose time was taken, by the worker's own
    clock: the first call, warm-up and samples, and the audit's pairs.
    """
    spent: dict[str, float] = defaultdict(float)
    ask, greeting = WorkerProcess.ask, WorkerProcess.greeting

    def timed_ask(self: WorkerProcess, timeout_s: float, **request: Any) -> dict[str, Any]:
        start = time.perf_counter()
        try:
            answer = ask(self, timeout_s, **request)
        finally:
            spent[request["do"]] += time.perf_counter() - start
        spent["timed"] += timed_s(request, answer)
        return answer

    def timed_greeting(self: WorkerProcess) -> dict[str, Any]:
        start = time.perf_counter()
        try:
            return greeting(self)
        finally:
            spent["start"] += time.perf_counter() - start

    with (
        mock.patch.object(WorkerProcess, "ask", timed_ask),
        mock.patch.object(WorkerProcess, "greeting", timed_greeting),
    ):
        yield spent
