"""Passes over the plan: each a fresh worker process and a fresh random order."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from harness import frameworks
from harness.layer import Config, Layer
from harness.runner import measure
from harness.runner.process import WorkerFailedError, WorkerProcess
from harness.runner.workers import Bench, reference_folder, start
from harness.store import Journal, Journaled, RunRecord, read
from harness.types import Case, Measurement, Status


class Round(NamedTuple):
    """One walk over the plan: a latency pass, or the one in which memory is measured."""

    probe: str
    pass_index: int


@dataclass(frozen=True)
class Event:
    """Something happened, for whoever shows progress.

    Attributes:
        measurement: what came of a case, or None when a round starts.
        done, total: cases of this round, of those that are to be measured at all.
        pass_index: from 0.
        passes: planned, or None if a budget decides.
    """

    probe: str
    pass_index: int
    passes: int | None
    done: int
    total: int
    measurement: Measurement | None = None


def execute(run: RunRecord, layers: Mapping[str, Layer], on_event: Callable[[Event], None]) -> None:
    """Measures what the run's journal does not hold yet, and journals it as it comes.

    Raises:
        UsageError: another process is writing the run's journal.
    """
    with Journal(run.folder) as journal:
        _Execution(run, layers, journal, read(run), on_event).all_rounds()
    shutil.rmtree(reference_folder(run.folder), ignore_errors=True)


class _Execution:
    def __init__(
        self,
        run: RunRecord,
        layers: Mapping[str, Layer],
        journal: Journal,
        before: Journaled,
        on_event: Callable[[Event], None],
    ) -> None:
        self._run = run
        self._layers = layers
        self._journal = journal
        self._on_event = on_event
        self._effort = measure.Effort(run.rel_ci, run.sample_s, run.timeout_s)
        attempts = [m for known in before.latency.values() for m in known]
        attempts += before.memory.values()
        self._done = {(m.case, Round(m.probe, m.pass_index)) for m in attempts}
        self._out = {m.case for m in attempts if m.status is not Status.OK}
        self._ceilings = {Bench(c["framework"], c["device"], c["threads"]) for c in before.ceilings}

    def all_rounds(self) -> None:
        self._rule_out()
        for round_ in self._rounds():
            self._round(round_)

    def _rule_out(self) -> None:
        """Journals what is known not to run without trying."""
        for case in self._run.cases:
            if case in self._out:
                continue
            if verdict := ruled_out(case, self._layers[case.layer]):
                status, reason = verdict
                self._record(_blank(case, Round("latency", 0), status, reason))

    def _rounds(self) -> Iterator[Round]:
        """The first pass answers everything, so memory comes second; then passes narrow."""
        start = time.monotonic()
        yield Round("latency", 0)
        longest = time.monotonic() - start
        yield Round("memory", 0)
        index = 1
        while self._another(index, time.monotonic() - start, longest):
            before = time.monotonic()
            yield Round("latency", index)
            longest = max(longest, time.monotonic() - before)
            index += 1

    def _another(self, index: int, spent_s: float, longest_s: float) -> bool:
        if self._out.issuperset(self._run.cases):
            return False
        if self._run.passes is not None:
            return index < self._run.passes
        return spent_s + longest_s <= (self._run.budget_s or 0.0)

    def _round(self, round_: Round) -> None:
        benches: dict[Bench, list[Case]] = {}
        for case in self._run.cases:
            if case not in self._out and (case, round_) not in self._done:
                benches.setdefault(Bench.of(case), []).append(case)
        total = sum(map(len, benches.values()))
        if not total:
            return
        self._on_event(Event(*round_, self._run.passes, 0, total))
        rng = random.Random(f"{self._run.seed}/{round_.probe}/{round_.pass_index}")
        done = 0
        for bench in rng.sample(list(benches), len(benches)):
            cases = rng.sample(benches[bench], len(benches[bench]))
            for measurement in self._at(bench, round_, cases):
                self._record(measurement)
                done += 1
                self._on_event(Event(*round_, self._run.passes, done, total, measurement))

    def _at(self, bench: Bench, round_: Round, cases: Sequence[Case]) -> Iterator[Measurement]:
        """Each case's measurement; a worker that fails costs its case only."""
        worker: WorkerProcess | None = None
        greeting: dict[str, Any] = {}
        try:
            for case in cases:
                try:
                    if worker is None:
                        worker, greeting = self._start(bench, round_)
                except WorkerFailedError as failure:
                    # A worker that cannot start would not start for the next case either.
                    for left in cases[cases.index(case) :]:
                        yield _blank(left, round_, failure.status, failure.reason)
                    return
                try:
                    if round_.probe == "memory":
                        measurement = measure.memory(worker.ask, case, self._effort)
                    else:
                        measurement = measure.latency(
                            worker.ask,
                            case,
                            round_.pass_index,
                            self._effort,
                            greeting["clock_resolution_s"],
                        )
                except WorkerFailedError as failure:
                    measurement = _blank(case, round_, failure.status, failure.reason)
                    worker.kill()
                    worker = None
                yield replace(measurement, framework_version=greeting["version"])
                if worker and bench.device == "cuda" and measurement.status.failed:
                    # After some errors of CUDA no later call in the same process can succeed.
                    worker.close()
                    worker = None
        finally:
            if worker is not None:
                worker.close()

    def _start(self, bench: Bench, round_: Round) -> tuple[WorkerProcess, dict[str, Any]]:
        """A worker that is ready; the first one of a bench has measured the machine's ceilings."""
        worker = start(bench, round_.probe, self._run.folder, self._run.suites)
        greeting = worker.greeting()
        self._journal.append("worker", {**bench._asdict(), **round_._asdict(), **greeting})
        if round_.probe == "latency" and bench not in self._ceilings:
            self._ceilings.add(bench)
            try:
                self._measure_ceilings(worker, bench)
            except WorkerFailedError:  # rows go without a roofline, and are measured all the same
                worker.kill()
                return self._start(bench, round_)
        return worker, greeting

    def _measure_ceilings(self, worker: WorkerProcess, bench: Bench) -> None:
        """Once a run and bench, for each dtype that its cases use."""
        mine = [case for case in self._run.cases if Bench.of(case) == bench]
        for dtype in sorted({case.dtype for case in mine}):
            answer = worker.ask(self._effort.timeout_s, do="ceilings", dtype=dtype)
            if "status" not in answer:
                self._journal.append("ceilings", {**bench._asdict(), "dtype": dtype, **answer})

    def _record(self, measurement: Measurement) -> None:
        self._journal.append("measurement", measurement.to_json())
        if measurement.status is not Status.OK:
            self._out.add(measurement.case)


def ruled_out(case: Case, layer: Layer) -> tuple[Status, str] | None:
    """Why the case is not measured, if that is known without trying."""
    framework = frameworks.get(case.framework)
    if reason := layer.not_applicable(Config.of(case)):
        return Status.NOT_APPLICABLE, reason
    if framework.builder not in layer.builders:
        return Status.UNSUPPORTED, f"{layer.name} has no builder for {framework.builder}"
    if reason := framework.unsupported(case):
        return Status.UNSUPPORTED, reason
    return None


def _blank(case: Case, round_: Round, status: Status, reason: str) -> Measurement:
    now = datetime.now(UTC).isoformat()
    return Measurement(case, round_.probe, round_.pass_index, status, now, reason)
