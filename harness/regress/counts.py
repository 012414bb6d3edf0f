"""What needs no clock: peak memory, and counts that the same code gives again each time."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence

from harness.gate.counts import Figures
from harness.regress.ground import SIDES, Ground
from harness.runner import measure
from harness.runner.process import CaseFailedError, WorkerFailedError, WorkerProcess
from harness.types import Bench, Case, Measurement


def count(
    cases: Sequence[Case], ground: Ground, on_case: Callable[[str], None]
) -> dict[str, dict[str, Figures]]:
    """By case and side, its figures; of what fails or no longer fits the budget there are none.

    One process a side and bench, one side after the other, as nothing here hangs on the moment.
    Failures are for the duel to tell, which every case goes through as well.
    """
    found: dict[str, dict[str, Figures]] = {}
    for bench in dict.fromkeys(map(Bench.of, cases)):
        mine = [case for case in cases if Bench.of(case) == bench]
        for side in SIDES:
            for case, measurement in _measured(bench, mine, side, ground):
                on_case(case.id)
                if measurement is not None:
                    found.setdefault(case.id, {})[side] = figures(measurement)
                    ground.journal.append("counts", {"side": side, **measurement.to_json()})
                if not ground.affordable():
                    return found
    return found


def _measured(
    bench: Bench, cases: Sequence[Case], side: str, ground: Ground
) -> Iterator[tuple[Case, Measurement | None]]:
    worker: WorkerProcess | None = None
    started = False
    try:
        for case in cases:
            try:
                if worker is None:
                    started = False
                    worker = ground.worker(side, bench, "memory")
                    worker.greeting()
                    started = True
                yield case, measure.memory(worker.ask, case, ground.effort)
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


def median(readings: Sequence[Figures]) -> Figures:
    """Of each figure, over readings in fresh processes; one below what can be read counts as 0."""
    return {
        metric: float(statistics.median(reading[metric] or 0 for reading in readings))
        for metric in readings[0]
        if any(reading[metric] is not None for reading in readings)
    }
