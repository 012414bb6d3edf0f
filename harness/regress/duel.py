"""Fresh pairs of processes, base and head at once, for as many rounds as the decision asks."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from harness.gate.procedure import FIRST, Logs
from harness.regress.budget import BudgetEndedError
from harness.regress.found import Failure, Found
from harness.regress.ground import SIDES, Ground
from harness.regress.turns import TurnFailedError, take
from harness.runner import measure
from harness.runner.measure import Ready
from harness.runner.process import CaseFailedError, WorkerFailedError, WorkerProcess
from harness.runner.sampling import Ask
from harness.types import Bench, Case

_Workers: TypeAlias = dict[str, tuple[WorkerProcess, float | WorkerFailedError]]
"""By side: the worker, and its clock's resolution, or why it could not start."""


@dataclass(frozen=True)
class Progress:
    """For whoever shows it: the pair, how many cases are left in it, and which is next."""

    pair: int
    left: int
    case: str


class Duel:
    """Makes rounds: in each, a fresh pair of processes for every bench takes the cases in turn."""

    def __init__(
        self,
        cases: Mapping[str, Case],
        ground: Ground,
        seed: int,
        on_progress: Callable[[Progress], None],
    ) -> None:
        """Measures nothing yet.

        Args:
            cases: by id.
            ground: where and how.
            seed: of every random order.
            on_progress: told before every case.
        """
        self.found = {case: Found() for case in cases}
        self.versions: dict[str, dict[str, str]] = {side: {} for side in SIDES}
        self._cases = cases
        self._ground = ground
        self._rng = random.Random(seed)
        self._on_progress = on_progress
        self._made = 0
        self._left: dict[str, int] = {}
        self._case_s: dict[str, float] = {}

    def another(self, cases: Sequence[str]) -> Logs | None:
        """One fresh pair for each case; see `harness.gate.procedure.Round`.

        A case that fails, or over which the budget ends, has no figure in this round.
        """
        wanted = [case for case in cases if not self.found[case].over]
        if wanted and not self._ground.budget.affords():
            return None
        logs: dict[str, float] = {}
        left = len(wanted)
        for bench, mine in self._by_bench(wanted):
            for case in mine:
                self._left[case] = left
                left -= 1
            logs |= {case: log for case, log in self._pair(bench, mine) if log is not None}
        self._made += 1
        return logs if logs or not self._ground.budget.ended else None

    def never_started(self, side: str) -> str:
        """Why none of a side's workers could be started; empty if one was, or none was asked to."""
        if self.versions[side]:
            return ""
        failures = (found.failures(side) for found in self.found.values())
        return next((tries[-1].reason for tries in failures if tries and tries[-1].broken), "")

    def _by_bench(self, cases: Sequence[str]) -> Iterator[tuple[Bench, list[str]]]:
        benches: dict[Bench, list[str]] = {}
        for case in cases:
            benches.setdefault(Bench.of(self._cases[case]), []).append(case)
        for bench in self._rng.sample(list(benches), len(benches)):
            yield bench, self._rng.sample(benches[bench], len(benches[bench]))

    def _pair(self, bench: Bench, cases: Sequence[str]) -> Iterator[tuple[str, float | None]]:
        """The log ratio of each case, None of one that failed, from one pair of processes."""
        workers: _Workers = {}
        try:
            for case in cases:
                if not self._ground.budget.affords(self._case_s.get(case, 0.0)):
                    continue  # another one may be quicker
                self._on_progress(Progress(self._made + 1, self._left[case], case))
                try:
                    workers = workers or self._start(bench)
                    start = time.monotonic()
                    log = self._duel(case, workers)
                except BudgetEndedError:
                    return
                self._case_s[case] = time.monotonic() - start
                yield case, log
                # After some errors of CUDA no later call in the same process can succeed.
                spoilt = bench.device == "cuda" and log is None
                if spoilt or any(map(_died, workers.values())):
                    self._close(workers)
        finally:
            self._close(workers)

    def _start(self, bench: Bench) -> _Workers:
        """Both sides' workers, in a random order; one that cannot start fails at every case.

        Raises:
            BudgetEndedError: they were not there in time, and none is left.
        """
        started: dict[str, WorkerProcess] = {}
        workers: _Workers = {}
        try:
            for side in self._rng.sample(SIDES, len(SIDES)):
                started[side] = self._ground.duelling(side, bench, self._cold)
            for side, worker in started.items():
                try:
                    greeting = self._ground.budget.greeting(worker)
                except WorkerFailedError as failure:
                    workers[side] = worker, failure
                else:
                    self.versions[side][bench.framework] = greeting["version"]
                    self.versions[side] |= greeting["packages"]
                    workers[side] = worker, greeting["clock_resolution_s"]
        except BaseException:
            for worker in started.values():
                worker.kill()
            raise
        return workers

    @property
    def _cold(self) -> bool:
        """Whether a first call has to compile.

        It does in the pairs that every case gets. What takes long to compile would else use up the
        budget of all that come after.
        """
        return self._made < FIRST

    @staticmethod
    def _close(workers: _Workers) -> None:
        while workers:
            workers.popitem()[1][0].close()

    def _duel(self, case: str, workers: _Workers) -> float | None:
        """The case's log ratio in this pair, if both sides come through."""
        ready: dict[str, tuple[Ask, Ready]] = {}
        for side in self._rng.sample(SIDES, len(SIDES)):
            worker, resolution_s = workers[side]
            try:
                if isinstance(resolution_s, WorkerFailedError):
                    raise resolution_s
                ask = self._ground.budget.ask(worker)
                ready[side] = ask, self._ready(case, side, ask, resolution_s)
            except CaseFailedError as failure:
                self._fail(case, side, failure)
        if len(ready) < len(SIDES) or self.found[case].reference_changed:
            self._came_through(case, *ready)
            return None
        # Whoever takes the first turn is drawn, too.
        first, second = self._rng.sample(SIDES, len(SIDES))
        try:
            turns = take(ready[first], ready[second], self._ground.effort)
        except TurnFailedError as failure:
            self._fail(case, (first, second)[failure.side], failure.cause)
            self._came_through(case, (second, first)[failure.side])
            return None
        taken = {first: turns.first, second: turns.second}
        first_call_s = {side: ready[side][1].measurement.first_call_s for side in SIDES}
        self._ground.journal.append(
            "pair",
            {
                "case": case,
                "pair": self._made,
                **{f"{side}_s": [turn.wall_s for turn in taken[side]] for side in SIDES},
                **{f"{side}_waited_s": [turn.waited_s for turn in taken[side]] for side in SIDES},
                **{f"{side}_first_call_s": first_call_s[side] for side in SIDES},
            },
        )
        self._came_through(case, *SIDES)
        found = self.found[case]
        for side in SIDES:
            found.seconds[side].append(statistics.median(turn.own_s for turn in taken[side]))
            if self._cold:
                found.first_call_s[side].append(first_call_s[side] or math.nan)
        return math.log(found.seconds["head"][-1] / found.seconds["base"][-1])

    def _ready(self, case: str, side: str, ask: Ask, resolution_s: float) -> Ready:
        """Warm; and held against its reference, unless another pair has done that."""
        found = self.found[case]
        if side in found.facts:
            measurement = measure.prepared(
                ask, self._cases[case], "latency", 0, self._ground.effort
            )
        else:
            measurement = measure.checked(ask, self._cases[case], 0, self._ground.effort)
            found.reference[side] = ask(measure.CHECK_TIMEOUT_S, do="sketch")["sketch"]
            found.facts[side] = measurement
            self._ground.check_modules(side, ask)
        return measure.warmed_up(ask, measurement, self._ground.effort, resolution_s)

    def _came_through(self, case: str, *sides: str) -> None:
        for side in sides:
            self.found[case].tries[side].append(None)

    def _fail(self, case: str, side: str, failure: CaseFailedError) -> None:
        told = Failure(failure.status, failure.reason)
        self.found[case].tries[side].append(told)
        fault = {"status": str(failure.status), "reason": failure.reason}
        self._ground.journal.append(
            "failure", {"case": case, "side": side, "pair": self._made, **fault}
        )


def _died(worker: tuple[WorkerProcess, float | WorkerFailedError]) -> bool:
    """Whether it ended at a case; one that could not start would not start for the next either."""
    return not isinstance(worker[1], WorkerFailedError) and not worker[0].alive
