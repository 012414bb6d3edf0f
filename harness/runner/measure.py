"""One case in one worker: how many calls a block, when it is warm, when it is enough."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from harness import units
from harness.runner import received
from harness.runner.process import CaseFailedError, WorkerFailedError
from harness.runner.sampling import CHUNK_S, MIN_SAMPLES, Ask, Effort, sample
from harness.types import Case, Measurement, Status

BLOCK_S = 1e-3
"""A block lasts at least this, so that reading the clock and synchronizing cost nothing."""
BLOCK_RESOLUTIONS = 1000
"""And at least so many steps of the clock."""
CALIBRATION_BLOCKS = 3
"""Of which the shortest counts, as disturbances only lengthen a block."""
CALIBRATIONS = 5
"""A layer whose first calls are slow needs more calls a block once it is warm; so often at most."""
CERTAINLY = 10
"""A single block so many times the shortest one allowed is taken at its word."""
WINDOW_S = 0.02
"""Length of a warm-up window, of at least one block."""
WARM = 0.02
"""Two windows that agree this well, relative, are warm."""
WARM_UP_CAP = 2.0
"""Longest warm-up, in units of the sampling time."""

MIN_PAIRS, MAX_PAIRS = 3, 6
"""Of a usual block and one of twice the calls, for the audit; see `harness.store.audit`."""
PAIRS_SHARE = 0.5
"""Of the sampling time: more than `MIN_PAIRS` only as far as they fit into it."""

CHECK_TIMEOUT_S = 600.0
"""For the check against the reference, whose float64 NumPy may take far longer than the layer."""
MEMORY_READINGS = 3
"""Of which the median counts: the kernel keeps its page count in batches."""


@dataclass(frozen=True)
class Ready:
    """A case that is checked and warm: from here on every block counts.

    Attributes:
        measurement: what is known of it, without samples.
        calls: of a block.
        block_s: what a block takes, about.
    """

    measurement: Measurement
    calls: int
    block_s: float


def latency(
    ask: Ask, case: Case, pass_index: int, effort: Effort, resolution_s: float
) -> Measurement:
    """Checks the case against its reference, then times it.

    Args:
        ask: `WorkerProcess.ask`.
        case: what to measure.
        pass_index: from 0.
        effort: when to stop.
        resolution_s: of the worker's clock.

    Raises:
        CaseFailedError: the case, or its worker, failed.
    """
    ready = make_ready(ask, case, pass_index, effort, resolution_s)
    calls = ready.calls
    taken = sample(ask, calls, ready.block_s, effort)
    median_s = statistics.median(taken.clean_s or taken.charged_s or taken.walls_s)
    usual, doubled = _pairs(ask, calls, median_s * calls, effort)
    return replace(
        ready.measurement,
        calls_per_block=calls,
        samples_s=tuple(taken.walls_s),
        device_samples_s=tuple(taken.devices_s),
        disturbances=None if taken.disturbances is None else tuple(taken.disturbances),
        paired_samples_s=usual,
        doubled_samples_s=doubled,
        converged=taken.converged,
    )


def _pairs(
    ask: Ask, calls: int, block_s: float, effort: Effort
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Seconds a call in usual blocks and in blocks of twice the calls beside them, for the audit.

    None where not even the least number of samples fits into the sampling time: there a block is
    one long call, beside which neither the clock nor the waiting counts.
    """
    usual: list[float] = []
    doubled: list[float] = []
    if MIN_SAMPLES * block_s <= min(effort.sample_s, effort.timeout_s):
        fitting = int(PAIRS_SHARE * effort.sample_s / (3 * block_s))
        wanted = max(MIN_PAIRS, min(MAX_PAIRS, fitting))
        chunk = max(1, int(CHUNK_S / (3 * block_s)))
        while len(usual) < wanted:
            pairs = min(chunk, wanted - len(usual))
            answer = ask(effort.timeout_s, do="pairs", calls=calls, pairs=pairs)
            usual += received.seconds(answer, "wall_s", pairs)
            doubled += received.seconds(answer, "doubled_s", pairs)
    return tuple(usual), tuple(doubled)


def make_ready(ask: Ask, case: Case, pass_index: int, effort: Effort, resolution_s: float) -> Ready:
    """Prepares and checks the case, finds the calls a block needs, and warms up; see `latency`."""
    return warmed_up(ask, checked(ask, case, pass_index, effort), effort, resolution_s)


def checked(ask: Ask, case: Case, pass_index: int, effort: Effort) -> Measurement:
    """Prepares the case and holds it against its reference."""
    found = _check(ask, "check_smaller", case=case.to_json())
    said = found.pop("warnings", ())
    measurement = prepared(ask, case, "latency", pass_index, effort)
    found |= _check(ask, "check")
    return replace(measurement, warnings=(*measurement.warnings, *said), **found)


def warmed_up(ask: Ask, measurement: Measurement, effort: Effort, resolution_s: float) -> Ready:
    """Finds the calls that a block of the prepared case needs, and warms it up."""

    def run(calls: int, blocks: int) -> list[float]:
        """Seconds of each block."""
        answer = ask(effort.timeout_s, do="run", calls=calls, blocks=blocks)
        return [wall * calls for wall in received.seconds(answer, "wall_s", blocks)]

    shortest_s = max(BLOCK_S, BLOCK_RESOLUTIONS * resolution_s)
    calls, block_s, warmed = 1, 0.0, False
    for _ in range(CALIBRATIONS):
        calls, block_s = _calibrate(run, calls, shortest_s)
        warmed, block_s = _warm_up(run, calls, block_s, effort)
        if block_s >= shortest_s:
            break
    return Ready(replace(measurement, warmed=warmed), calls, block_s)


def _calibrate(
    run: Callable[[int, int], list[float]], calls: int, shortest_s: float
) -> tuple[int, float]:
    """(calls, from `calls` on, so that a block lasts that long; its usual seconds then)."""
    blocks = 1
    while True:
        taken = run(calls, blocks)
        block_s = min(taken)
        # One block may have been disturbed: unless it is far too long for that, look again.
        if block_s >= shortest_s * (1 if blocks > 1 else CERTAINLY):
            return calls, statistics.median(taken)
        if blocks > 1:
            growth = min(10.0, 1.2 * shortest_s / max(block_s, 1e-9))
            calls = max(calls + 1, math.ceil(calls * growth))
        blocks = CALIBRATION_BLOCKS


def _warm_up(
    run: Callable[[int, int], list[float]], calls: int, block_s: float, effort: Effort
) -> tuple[bool, float]:
    """Runs windows until two in a row agree, or the cap is reached.

    Returns whether they agree, and what a block takes in the last one, in seconds.

    The blocks of the calibration, which usually take `block_s`, are the first window.
    """
    blocks = max(1, round(WINDOW_S / block_s))
    spent, last = 0.0, block_s
    while True:
        taken = run(calls, blocks)
        now = statistics.median(taken)
        if abs(now - last) <= WARM * last:
            return True, now
        spent += sum(taken)
        if spent > WARM_UP_CAP * effort.sample_s:
            return False, now
        last = now


def memory(ask: Ask, case: Case, effort: Effort) -> Measurement:
    """Peak memory of one call, once the first calls have set up what stays, and which way it went.

    Raises:
        CaseFailedError: the case, or its worker, failed.
    """
    measurement = prepared(ask, case, "memory", 0, effort)
    for _ in range(2):
        ask(effort.timeout_s, do="run", calls=1, blocks=1)
    readings = [
        received.reading(ask(effort.timeout_s, do="memory")) for _ in range(MEMORY_READINGS)
    ]
    peak, method = told_peak(readings)
    found = replace(measurement, peak_memory_bytes=peak, memory_method=method)
    return _explained(ask, found, effort)


def told_peak(readings: Sequence[Mapping[str, Any]]) -> tuple[int | None, str]:
    """(the readings' median or None if that is below what can be told, how they were made)."""
    peak = int(statistics.median(reading["peak_bytes"] for reading in readings))
    method, resolution = readings[-1]["method"], readings[-1]["resolution_bytes"]
    if peak < resolution:
        return None, f"{method}, below {units.size(resolution)}"
    return peak, method


def _explained(ask: Ask, found: Measurement, effort: Effort) -> Measurement:
    """With what a profiler tells; if it fails, or takes its worker with it, the row says so."""
    questions = {"execution": "the execution path", "parts": "the split of the peak memory"}
    for question, what in questions.items():
        try:
            answer = received.explained(ask(effort.timeout_s, do=question))
        except CaseFailedError as failure:
            warning = f"{what} is missing: {failure.status}: {failure.reason}"
            found = replace(found, warnings=(*found.warnings, warning))
            if isinstance(failure, WorkerFailedError):
                break
        else:
            found = replace(found, **_fields(answer, found))
    return found


def _fields(answer: dict[str, Any], found: Measurement) -> dict[str, Any]:
    """An answer as fields of a measurement; the total is that of all parts."""
    held = answer.pop("held_bytes", None)
    if held is not None and found.parameter_bytes is not None and found.input_bytes is not None:
        answer["peak_allocated_bytes"] = found.parameter_bytes + found.input_bytes + held
    return answer


def prepared(ask: Ask, case: Case, probe: str, pass_index: int, effort: Effort) -> Measurement:
    """The case, built and called once."""
    started_at = datetime.now(UTC).isoformat()
    answer = received.prepared(ask(effort.timeout_s, do="prepare", case=case.to_json()))
    return Measurement(case, probe, pass_index, Status.OK, started_at, **answer)


def _check(ask: Ask, what: str, **request: Any) -> dict[str, Any]:
    """Compares a first result with the reference; that has a limit of its own."""
    try:
        return received.checked(ask(CHECK_TIMEOUT_S, do=what, **request))
    except WorkerFailedError as failure:
        if failure.status is Status.TIMEOUT:
            failure.reason = (
                f"the check against its reference took longer than {CHECK_TIMEOUT_S:g} s; "
                "measure it in a smaller shape"
            )
        raise
