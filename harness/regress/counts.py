"""What needs no clock: peak memory, and counts that the same code gives again each time."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence

from harness.gate.counts import Figures
from harness.gate.outcome import METRICS
from harness.regress.budget import Budget, BudgetEndedError
from harness.regress.ground import SIDES, Ground
from harness.runner import measure
from harness.runner.process import CaseFailedError, WorkerFailedError, WorkerProcess
from harness.types import Bench, Case, Measurement


def count(
    cases: Sequence[Case], ground: Ground, budget: Budget, on_case: Callable[[str], None]
) -> dict[str, dict[str, Figures]]:
    """By case and side, its figures; of what fails or no longer fits the budget there are none.

    One process a side and bench, one side after the other, as nothing here hangs on the moment.
    Failures are for the duel to tell, which every case goes through as well.
    """
    found: dict[str, dict[str, Figures]] = {}
    for bench in dict.fromkeys(map(Bench.of, cases)):
        mine = [case for case in cases if Bench.of(case) == bench]
        for side in SIDES:
            if not budget.affords():
                return found
            for case, measurement in _measured(bench, mine, side, ground, budget):
                on_case(case.id)
                if measurement is not None:
                    found.setdefault(case.id, {})[side] = figures(measurement)
                    ground.journal.append("counts", {"side": side, **measurement.to_json()})
    return found


def _measured(
    bench: Bench, cases: Sequence[Case], side: str, ground: Ground, budget: Budget
) -> Iterator[tuple[Case, Measurement | None]]:
    """Until the budget ends."""
    worker: WorkerProcess | None = None
    started = False
    try:
        for case in cases:
            if not budget.affords():
                return
            try:
                if worker is None:
                    started = False
                    worker = ground.counting(side, bench)
                    budget.greeting(worker)
                    started = True
                yield case, measure.memory(budget.ask(worker), case, ground.effort)
            except BudgetEndedError:
                return
            except CaseFailedError as failure:
                yield case, None
                if worker and isinstance(failure, WorkerFailedError):
                    worker.kill()
                    worker = None
                    if not started:
                        return  # nor would it for the next case
    finally:
        if worker is not None:
            worker.close()


def figures(measurement: Measurement) -> Figures:
    """Those that are gated, of a measurement of memory."""
    return {
        "peak_memory": measurement.peak_memory_bytes,
        "allocated": measurement.peak_allocated_bytes,
        "parameters": measurement.parameter_bytes,
        "flops": measurement.flops,
        "operators": measurement.operators,
        "kernels": measurement.kernels,
    }


def together(readings: Sequence[Figures]) -> Figures:
    """One figure each, of readings in fresh processes.

    Of a peak it is the median, in which one below what can be read counts as 0. A count that is not
    always the same, as of a layer that draws how deep it goes, is no count to compare.
    """
    found: dict[str, float | None] = {}
    for metric in readings[0]:
        values = [reading[metric] for reading in readings]
        known = [float(value) for value in values if value is not None]
        if METRICS[metric].exact:
            always = len(known) == len(values) and len(set(known)) == 1
            found[metric] = known[0] if always else None
        elif known:
            found[metric] = statistics.median([*known, *[0.0] * (len(values) - len(known))])
    return found
