"""Passes over the plan: each a fresh worker process and a fresh random order."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from harness import faults, frameworks
from harness.layer import Config, Layer, declared
from harness.runner import guard, measure, received
from harness.runner.process import CaseFailedError, WorkerFailedError, WorkerProcess
from harness.runner.sampling import Effort
from harness.runner.workers import memory_limit_bytes, reference_folder, start
from harness.store import Journal, Journaled, RunRecord, read
from harness.types import Bench, Case, Measurement, Status, UsageError

CEILINGS_TIMEOUT_S = 180.0
"""For one dtype's; a machine that cannot do it has no roofline for that dtype."""


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
        UsageError: another process is writing the run's journal, or a framework has changed
            since the run was begun.
    """
    with Journal(run.folder) as journal:
        _Execution(run, layers, journal, read(run, part=True), on_event).all_rounds()
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
        self._effort = Effort(run.rel_ci, run.sample_s, run.timeout_s)
        attempts = [m for known in before.latency.values() for m in known]
        self._done = {(m.case, Round(m.probe, m.pass_index)) for m in attempts}
        self._done |= {(m.case, Round("memory", 0)) for m in before.memory.values()}
        self._out = {m.case for m in attempts if m.status is not Status.OK}
        """Cases that take no further part."""
        self._known = {m.case for m in attempts}
        self._limit_bytes = run.max_memory_bytes or memory_limit_bytes()
        self._exhausted = guard.Exhausted()
        for attempt in attempts:
            self._note_memory(attempt)
        self._lost: set[Bench] = set()
        """Whose worker could not be started; a resumed run tries again."""
        self._ceilings: set[tuple[Bench, int, str]] = set()
        self._versions = {w["framework"]: w["version"] for w in before.workers}

    def all_rounds(self) -> None:
        self._rule_out()
        for round_ in self._rounds():
            self._round(round_)

    def _rule_out(self) -> None:
        """Journals what is known not to run without trying."""
        for case in self._run.cases:
            if case in self._out:
                continue
            if verdict := self._ruled_out(case):
                status, reason = verdict
                failure = CaseFailedError(status, reason)
                self._record(_failed(case, Round("latency", 0), failure))

    def _ruled_out(self, case: Case) -> tuple[Status, str] | None:
        layer = self._layers[case.layer]
        if verdict := ruled_out(case, layer):
            return verdict
        if case.device != "cpu" or case in self._known:
            return None
        reason = guard.too_large(case, layer, self._limit_bytes)
        return (Status.OOM, reason) if reason else None

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
        if all(case in self._out or Bench.of(case) in self._lost for case in self._run.cases):
            return False
        if self._run.passes is not None and index >= self._run.passes:
            return False
        return self._run.budget_s is None or spent_s + longest_s <= self._run.budget_s

    def _round(self, round_: Round) -> None:
        benches: dict[Bench, list[Case]] = {}
        for case in self._run.cases:
            bench = Bench.of(case)
            if not (case in self._out or bench in self._lost or (case, round_) in self._done):
                benches.setdefault(bench, []).append(case)
        total = sum(map(len, benches.values()))
        if not total:
            return
        self._on_event(Event(*round_, self._run.passes, 0, total))
        rng = random.Random(f"{self._run.seed}/{round_.probe}/{round_.pass_index}")
        done = 0
        for bench in rng.sample(list(benches), len(benches)):
            cases = rng.sample(benches[bench], len(benches[bench]))
            for measurement in self._at(bench, round_, cases):
                done += 1
                self._on_event(Event(*round_, self._run.passes, done, total, measurement))

    def _at(self, bench: Bench, round_: Round, cases: Sequence[Case]) -> Iterator[Measurement]:
        """Each case's measurement, journaled; a worker that fails costs its case only."""
        worker: WorkerProcess | None = None
        greeting: dict[str, Any] = {}
        try:
            for index, case in enumerate(cases):
                if reason := self._not_worth_trying(case):
                    skipped = _failed(case, round_, CaseFailedError(Status.OOM, reason))
                    self._record(skipped)
                    yield skipped
                    continue
                try:
                    if worker is None:
                        worker, greeting = self._start(bench, round_)
                except WorkerFailedError as failure:
                    yield from self._lose(bench, round_, cases[index:], failure)
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
                except CaseFailedError as failure:
                    measurement = _failed(case, round_, failure)
                    if isinstance(failure, WorkerFailedError):
                        worker.kill()
                        worker = None
                measurement = replace(measurement, framework_version=greeting["version"])
                self._record(measurement)
                yield measurement
                # After some errors of CUDA no later call in the same process can succeed.
                spoilt = bench.device == "cuda" and measurement.status.failed
                if worker and (spoilt or not worker.alive):
                    worker.close()
                    worker = None
        finally:
            if worker is not None:
                worker.close()

    def _not_worth_trying(self, case: Case) -> str:
        """Why not; empty if it is. What has come through once is tried again whatever happens."""
        if self._run.insist or case in self._known:
            return ""
        return self._exhausted.reason_against(case)

    def _lose(
        self, bench: Bench, round_: Round, left: Sequence[Case], failure: WorkerFailedError
    ) -> Iterator[Measurement]:
        """A worker that cannot start would not start for the next case either.

        No case has been tried, so none gets a measurement: what is known of it stands, and a
        resumed run tries again.
        """
        self._lost.add(bench)
        fault = {"status": str(failure.status), "reason": failure.reason}
        self._journal.append("lost", {**bench._asdict(), **round_._asdict(), **fault})
        for case in left:
            if case not in self._known:
                yield _failed(case, round_, failure)

    def _start(self, bench: Bench, round_: Round) -> tuple[WorkerProcess, dict[str, Any]]:
        """A worker that is ready; the first one of a pass has measured the machine's ceilings."""
        run = self._run
        worker = start(bench, round_.probe, run.folder, run.suites, self._limit_bytes)
        try:
            greeting = received.greeting(worker.greeting())
        except WorkerFailedError:
            worker.kill()
            raise
        began = self._versions.setdefault(bench.framework, greeting["version"])
        if began != greeting["version"]:
            worker.close()
            raise UsageError(
                f"this run was begun with {bench.framework} {began}, and here is now "
                f"{greeting['version']}: begin a new run"
            )
        about = {"run_id": self._run.run_id, **bench._asdict(), **round_._asdict(), **greeting}
        self._journal.append("worker", about)
        if round_.probe == "latency":
            try:
                self._measure_ceilings(worker, bench, round_.pass_index)
            except WorkerFailedError:  # rows go without a roofline, and are measured all the same
                worker.kill()
                return self._start(bench, round_)
        return worker, greeting

    def _measure_ceilings(self, worker: WorkerProcess, bench: Bench, pass_index: int) -> None:
        """In every pass, because the best of several is nearer to what the machine can do."""
        mine = [case for case in self._run.cases if Bench.of(case) == bench]
        for dtype in sorted({case.dtype for case in mine}):
            if (bench, pass_index, dtype) in self._ceilings:
                continue
            self._ceilings.add((bench, pass_index, dtype))  # one try: it may end the worker
            try:
                asked = worker.ask(CEILINGS_TIMEOUT_S, do="ceilings", dtype=dtype)
                answer = received.ceilings(asked)
            except WorkerFailedError:
                raise
            except CaseFailedError as failure:  # no product in this dtype here, say
                fault = {"dtype": dtype, "status": str(failure.status), "reason": failure.reason}
                self._journal.append("no_ceilings", {**bench._asdict(), **fault})
                continue
            self._journal.append("ceilings", {**bench._asdict(), "dtype": dtype, **answer})

    def _record(self, measurement: Measurement) -> None:
        self._journal.append("measurement", measurement.to_json())
        if measurement.probe == "memory":
            return  # what a case holds is lost, but not how long it takes
        self._known.add(measurement.case)
        self._note_memory(measurement)
        if measurement.status is not Status.OK:
            self._out.add(measurement.case)

    def _note_memory(self, latency: Measurement) -> None:
        if latency.status is Status.OOM:
            self._exhausted.add(latency.case)


def ruled_out(case: Case, layer: Layer) -> tuple[Status, str] | None:
    """Why the case is not measured, if that is known without trying.

    Raises:
        UsageError: the layer refuses these parameters.
    """
    framework = frameworks.get(case.framework)
    config = Config.of(case)
    try:
        if reason := layer.not_applicable(config):
            return Status.NOT_APPLICABLE, str(reason)
        inputs = declared("inputs", layer.inputs(config))
        weights = declared("weights", layer.weights(config))
    except UsageError as error:
        raise UsageError(f"layer {layer.name}: {error}") from error
    except (Exception, SystemExit) as error:  # an error of the layer's own costs its rows
        return Status.ERROR, faults.told(error)
    if config.training and not any(t.trainable for t in (*inputs.values(), *weights.values())):
        return Status.NOT_APPLICABLE, "nothing in this layer has a gradient"
    if framework.builder not in layer.builders:
        none = f"{layer.name} has no builder for {framework.builder}"
        return Status.UNSUPPORTED, layer.lacking.get(framework.builder, none)
    if reason := framework.unsupported(case):
        return Status.UNSUPPORTED, reason
    return None


def _failed(case: Case, round_: Round, failure: CaseFailedError) -> Measurement:
    now = datetime.now(UTC).isoformat()
    status, reason, facts = failure.status, failure.reason, failure.facts
    return Measurement(case, round_.probe, round_.pass_index, status, now, reason, **facts)
