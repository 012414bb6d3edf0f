"""Fresh pairs of processes, base and head at once, for as many rounds as the decision asks."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from harness.gate.procedure import Logs
from harness.regress.ground import SIDES, Ground
from harness.regress.turns import TurnFailedError, take
from harness.runner import measure
from harness.runner.measure import Ask, Ready
from harness.runner.process import CaseFailedError, WorkerFailedError, WorkerProcess
from harness.types import Bench, Case, Measurement, Status

TRIES = 2
"""A case that fails is tried again in a fresh process: a crash that does not repeat is told, and is
no verdict."""
SAME_REFERENCE = 1e-6
"""Relative; sums in another order differ less in float64."""

_Workers: TypeAlias = dict[str, tuple[WorkerProcess, float | WorkerFailedError]]
"""By side: the worker, and its clock's resolution, or why it could not start."""


@dataclass(frozen=True)
class Failure:
    """How a side failed at a case."""

    status: Status
    reason: str


@dataclass
class Found:
    """What is known of one case so far; grows while the duel lasts.

    Attributes:
        failures: of each side, a try each.
        seconds: medians of each side, a pair each.
        first_call_s: build or compile, and the first call, of each side, a pair each.
        facts: of each side on which it came through the check, what it tells of itself.
        reference: of each side, a sketch of what its reference computes.
    """

    failures: dict[str, list[Failure]] = field(default_factory=lambda: {s: [] for s in SIDES})
    seconds: dict[str, list[float]] = field(default_factory=lambda: {s: [] for s in SIDES})
    first_call_s: dict[str, list[float]] = field(default_factory=lambda: {s: [] for s in SIDES})
    facts: dict[str, Measurement] = field(default_factory=dict)
    reference: dict[str, list[float]] = field(default_factory=dict)

    def failed(self, side: str) -> Failure | None:
        """How the side failed for good: `TRIES` times, or so that trying again cannot help."""
        tries = self.failures[side]
        if len(tries) >= TRIES or any(not one.status.failed for one in tries):
            return tries[-1]
        return None

    @property
    def over(self) -> bool:
        """Whether no further pair could tell anything."""
        return self.reference_changed or any(self.failed(side) for side in SIDES)

    @property
    def reference_changed(self) -> bool:
        """Whether the two sides' references compute different things from the seeded inputs."""
        if len(self.reference) < len(SIDES):
            return False
        one, other = (self.reference[side] for side in SIDES)
        return len(one) != len(other) or not np.allclose(
            one, other, rtol=SAME_REFERENCE, atol=SAME_REFERENCE
        )


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
        if wanted and not self._ground.affordable():
            return None
        logs: dict[str, float] = {}
        left = len(wanted)
        for bench, mine in self._by_bench(wanted):
            for case in mine:
                self._left[case] = left
                left -= 1
            logs |= {case: log for case, log in self._pair(bench, mine) if log is not None}
        self._made += 1
        return logs if logs or not wanted or self._ground.affordable() else None

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
                if not self._ground.affordable(self._case_s.get(case, 0.0)):
                    return
                self._on_progress(Progress(self._made + 1, self._left[case], case))
                workers = workers or self._start(bench)
                start = time.monotonic()
                yield case, self._duel(case, workers)
                self._case_s[case] = time.monotonic() - start
                # After some errors of CUDA no later call in the same process can succeed.
                spoilt = bench.device == "cuda" and any(self.found[case].failures.values())
                if spoilt or any(map(_died, workers.values())):
                    self._close(workers)
        finally:
            self._close(workers)

    def _start(self, bench: Bench) -> _Workers:
        """Both sides' workers, in a random order; one that cannot start fails at every case."""
        started = {}
        for side in self._rng.sample(SIDES, len(SIDES)):
            started[side] = self._ground.worker(side, bench, "duel")
        workers: _Workers = {}
        for side, worker in started.items():
            try:
                greeting = worker.greeting()
            except WorkerFailedError as failure:
                workers[side] = worker, failure
            else:
                self.versions[side][bench.framework] = greeting["version"]
                self.versions[side] |= greeting["packages"]
                workers[side] = worker, greeting["clock_resolution_s"]
        return workers

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
                ready[side] = worker.ask, self._ready(case, side, worker.ask, resolution_s)
            except CaseFailedError as failure:
                self._fail(case, side, failure)
        if len(ready) < len(SIDES) or self.found[case].reference_changed:
            return None
        # Whoever takes the first turn is drawn, too.
        first, second = self._rng.sample(SIDES, len(SIDES))
        try:
            turns = take(ready[first], ready[second], self._ground.effort)
        except TurnFailedError as failure:
            self._fail(case, (first, second)[failure.side], failure.cause)
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
        found = self.found[case]
        for side in SIDES:
            found.seconds[side].append(statistics.median(turn.own_s for turn in taken[side]))
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
            found.reference[side] = ask(self._ground.effort.timeout_s, do="sketch")["sketch"]
            found.facts[side] = measurement
        return measure.warmed_up(ask, measurement, self._ground.effort, resolution_s)

    def _fail(self, case: str, side: str, failure: CaseFailedError) -> None:
        told = Failure(failure.status, failure.reason)
        self.found[case].failures[side].append(told)
        fault = {"status": str(failure.status), "reason": failure.reason}
        self._ground.journal.append(
            "failure", {"case": case, "side": side, "pair": self._made, **fault}
        )


def _died(worker: tuple[WorkerProcess, float | WorkerFailedError]) -> bool:
    """Whether it ended at a case; one that could not start would not start for the next either."""
    return not isinstance(worker[1], WorkerFailedError) and not worker[0].alive
