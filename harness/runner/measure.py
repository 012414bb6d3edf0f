"""One case in one worker: how many calls a block, when it is warm, when it is enough."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from harness import stats
from harness.types import Case, Measurement, Status

BLOCK_S = 1e-3
"""A block lasts at least this, so that reading the clock and synchronizing cost nothing."""
BLOCK_RESOLUTIONS = 1000
"""And at least so many steps of the clock."""
CALIBRATION_BLOCKS = 3
"""Of which the shortest counts, as disturbances only lengthen a block."""
CERTAINLY = 10
"""A single block so many times the shortest one allowed is taken at its word."""
WINDOW_S = 0.02
"""Length of a warm-up window, of at least one block."""
WARM = 0.02
"""Two windows that agree this well, relative, are warm."""
WARM_UP_CAP = 2.0
"""Longest warm-up, in units of the sampling time."""
MIN_SAMPLES = 3
ENOUGH_SAMPLES = 30
"""From here on the median's order-statistic interval holds its 95 % well enough to stop by."""
GROWTH = 1.25
"""Looking at the interval after each sample would stop at lucky moments."""
CHUNK_S = 0.1
"""Samples are asked for in requests of about this length."""

Ask = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Effort:
    """How hard to look; see `harness.sweep.Sweep`."""

    rel_ci: float
    sample_s: float
    timeout_s: float


def latency(
    ask: Ask, case: Case, pass_index: int, effort: Effort, resolution_s: float
) -> Measurement:
    """Checks the case against its reference, then times it.

    Args:
        ask: `WorkerProcess.ask`; its errors pass through.
        case: what to measure.
        pass_index: from 0.
        effort: when to stop.
        resolution_s: of the worker's clock.
    """
    measurement, failed = _prepare(ask, case, "latency", pass_index, effort, check=True)
    if failed:
        return measurement

    def run(calls: int, blocks: int) -> dict[str, Any]:
        return ask(effort.timeout_s, do="run", calls=calls, blocks=blocks)

    calls, blocks = 1, 1
    shortest = max(BLOCK_S, BLOCK_RESOLUTIONS * resolution_s)
    while True:
        answer = run(calls, blocks)
        if "status" in answer:
            return _failed(measurement, answer)
        block_s = min(answer["wall_s"]) * calls
        # One block may have been disturbed: unless it is far too long for that, look again.
        if block_s >= shortest * (1 if blocks > 1 else CERTAINLY):
            break
        if blocks > 1:
            growth = min(10.0, 1.2 * shortest / max(block_s, 1e-9))
            calls = max(calls + 1, math.ceil(calls * growth))
        blocks = CALIBRATION_BLOCKS
    warmed, answer = _warm_up(run, calls, block_s, effort)
    if "status" in answer:
        return _failed(measurement, answer)
    walls: list[float] = []
    devices: list[float] = []
    next_look = ENOUGH_SAMPLES
    converged = False
    while not converged and len(walls) < _affordable(walls, calls, effort):
        block_s = statistics.median(walls) * calls if walls else block_s
        wanted = min(next_look, _affordable(walls, calls, effort)) - len(walls)
        answer = run(calls, max(1, min(wanted, int(CHUNK_S / block_s))))
        if "status" in answer:
            return _failed(measurement, answer)
        walls += answer["wall_s"]
        devices += answer["device_s"]
        if len(walls) >= next_look:
            converged = stats.median_interval(walls).relative_half_width <= effort.rel_ci
            next_look = math.ceil(next_look * GROWTH)
    if min(walls) <= 0:
        return replace(
            measurement,
            status=Status.ERROR,
            reason="the clock went backward or stood still during a block; measure again",
        )
    return replace(
        measurement,
        calls_per_block=calls,
        samples_s=tuple(walls),
        device_samples_s=tuple(devices),
        warmed=warmed,
        converged=converged,
    )


def _affordable(walls: list[float], calls: int, effort: Effort) -> int:
    """How many samples the sampling time allows, by what they took so far."""
    spent_s = sum(walls) * calls
    if spent_s <= 0:
        return max(MIN_SAMPLES, len(walls))
    return max(MIN_SAMPLES, int(effort.sample_s / spent_s * len(walls)))


def _warm_up(
    run: Callable[[int, int], dict[str, Any]], calls: int, block_s: float, effort: Effort
) -> tuple[bool, dict[str, Any]]:
    """Runs windows until two in a row agree; (warm or not, the last answer)."""
    blocks = max(1, round(WINDOW_S / block_s))
    spent, last = 0.0, 0.0
    while True:
        answer = run(calls, blocks)
        if "status" in answer:
            return False, answer
        now = statistics.median(answer["wall_s"])
        if last and abs(now - last) <= WARM * last:
            return True, answer
        spent += sum(answer["wall_s"]) * calls
        if spent > WARM_UP_CAP * effort.sample_s:
            return False, answer
        last = now


def memory(ask: Ask, case: Case, effort: Effort) -> Measurement:
    """Peak memory of one call, once the first calls have set up what stays."""
    measurement, failed = _prepare(ask, case, "memory", 0, effort, check=False)
    if failed:
        return measurement
    for request in ({"do": "run", "calls": 1, "blocks": 2}, {"do": "memory"}):
        answer = ask(effort.timeout_s, **request)
        if "status" in answer:
            return _failed(measurement, answer)
    return replace(measurement, **answer)


def _prepare(
    ask: Ask, case: Case, probe: str, pass_index: int, effort: Effort, check: bool
) -> tuple[Measurement, bool]:
    blank = Measurement(case, probe, pass_index, Status.OK, datetime.now(UTC).isoformat())
    answer = ask(effort.timeout_s, do="prepare", case=case.to_json(), check=check)
    if "status" in answer:
        return _failed(blank, answer), True
    return replace(blank, **{**answer, "warnings": tuple(answer["warnings"])}), False


def _failed(measurement: Measurement, answer: dict[str, Any]) -> Measurement:
    return replace(measurement, status=Status(answer["status"]), reason=answer["reason"])
