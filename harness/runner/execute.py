"""Passes over the plan: each a fresh worker process and a fresh random order."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from harness import faults, frameworks
from harness.layer import Config, Layer, declared
from harness.runner import guard, measure, received
from harness.runner.process import CaseFailedError, WorkerFailedError, WorkerProcess
from harness.runner.sampling import Effort
from harness.runner.workers import memory_limit_bytes, start
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
        HarnessError: the run's folder cannot be written, was removed, or was moved away.
    """
    with Journal(run.folder, run.suites) as journal:
        try:
            _Execution(run, layers, journal, read(run, part=True), on_event).all_rounds()
        except OSError as error:  # a full disk, or nothing there any more
            journal.check_place()
            raise journal.failure(error) from error
        finally:
            journal.tidy()


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
        self._taken_s: dict[Round, float] = defaultdict(float)
        """Of the budget, by rounds that came to their end, before the run was cut short too."""
        for record in before.rounds:
            self._taken_s[Round(record["probe"], record["pass_index"])] += record["taken_s"]

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
        yield Round("latency", 0)
        yield Round("memory", 0)
        index = 1
        while self._another(index):
            yield Round("latency", index)
            index += 1

    def _another(self, index: int) -> bool:
        if all(case in self._out or Bench.of(case) in self._lost for case in self._run.cases):
            return False
        if self._run.passes is not None and index >= self._run.passes:
            return False
        longest_s = max((s for r, s in self._taken_s.items() if r.probe == "latency"), default=0.0)
        spent_s = sum(self._taken_s.values())
        return self._run.budget_s is None or spent_s + longest_s <= self._run.budget_s

    def _round(self, round_: Round) -> None:
        left = {bench: self._left(cases, round_) for bench, cases in self._in_order(round_)}
        total = sum(map(len, left.values()))
        if not total:
            return
        start = time.monotonic()
        self._on_event(Event(*round_, self._run.passes, 0, total))
        done = 0
        for bench, cases in left.items():
            for measurement in self._at(bench, round_, cases):
                done += 1
                self._on_event(Event(*round_, self._run.passes, done, total, measurement))
        taken_s = time.monotonic() - start
        self._taken_s[round_] += taken_s
        self._journal.append("round", {**round_._asdict(), "taken_s": taken_s})

    def _in_order(self, round_: Round) -> Iterator[tuple[Bench, list[Case]]]:
        """The whole plan in the round's random order, which is the same in a run that goes on."""
        benches: dict[Bench, list[Case]] = {}
        for case in self._run.cases:
            benches.setdefault(Bench.of(case), []).append(case)
        rng = random.Random(f"{self._run.seed}/{round_.probe}/{round_.pass_index}")
        for bench in rng.sample(list(benches), len(benches)):
            yield bench, rng.sample(benches[bench], len(benches[bench]))

    def _left(self, cases: Sequence[Case], round_: Round) -> list[Case]:
        return [
            case
            for case in cases
            if not (
                case in self._out or Bench.of(case) in self._lost or (case, round_) in self._done
            )
        ]

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
        except BaseException:  # Ctrl-C: nobody wants to wait until a layer has come to its end
            if worker is not None:
                worker.kill()
            raise
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
            began = self._versions.setdefault(bench.framework, greeting["version"])
            if began != greeting["version"]:
                raise UsageError(
                    f"this run was begun with {bench.framework} {began}, and here is now "
                    f"{greeting['version']}: begin a new run"
                )
            about = {"run_id": run.run_id, **bench._asdict(), **round_._asdict(), **greeting}
            self._journal.append("worker", about)
            if round_.probe == "latency":
                try:
                    self._measure_ceilings(worker, bench, round_.pass_index)
                except WorkerFailedError:  # rows are measured all the same, without a roofline
                    worker.kill()
                    return self._start(bench, round_)
        except BaseException:
            worker.kill()
            raise
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
        builder = layer.builders.get(framework.builder)
        lacking = str(builder.unsupported(config) or "") if builder else ""
    except UsageError as error:
        raise UsageError(f"layer {layer.name}: {error}") from error
    except (Exception, SystemExit) as error:  # an error of the layer's own costs its rows
        return Status.ERROR, faults.told(error)
    if config.training and not any(t.trainable for t in (*inputs.values(), *weights.values())):
        return Status.NOT_APPLICABLE, "nothing in this layer has a gradient"
    if builder is None:
        none = f"{layer.name} has no builder for {framework.builder}"
        return Status.UNSUPPORTED, layer.lacking.get(framework.builder, none)
    if reason := lacking or framework.unsupported(case):
        return Status.UNSUPPORTED, reason
    return None


def _failed(case: Case, round_: Round, failure: CaseFailedError) -> Measurement:
    now = datetime.now(UTC).isoformat()
    status, reason, facts = failure.status, failure.reason, failure.facts
    return Measurement(case, round_.probe, round_.pass_index, status, now, reason, **facts)
