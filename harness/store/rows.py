"""From a run's journal to one row a case. Statistics are derived here and stored nowhere else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from harness import stats, units
from harness.store.journal import RunRecord, broken_line, read_journal
from harness.types import Case, Measurement, Status, UsageError

OF_A_CALL = (
    *("execution_path", "operators", "kernels", "conversions"),
    *("output_bytes", "saved_bytes", "workspace_bytes", "peak_allocated_bytes"),
)
"""What the memory round's process finds out about a call beside its peak."""

ROOF_MARGIN = 1.05
"""A rate up to this much above the measured ceiling is noise; beyond it, an error."""


UNSTEADY = 1.25
"""An upper limit this far above the median is worth a warning."""


Bench: TypeAlias = tuple[str, str, int]
"""What a worker process is for: framework, device, threads."""


@dataclass
class Journaled:
    """A run's journal, sorted."""

    latency: dict[Case, list[Measurement]] = field(default_factory=lambda: defaultdict(list))
    memory: dict[Case, Measurement] = field(default_factory=dict)
    ceilings: list[dict[str, Any]] = field(default_factory=list)
    workers: list[dict[str, Any]] = field(default_factory=list)
    """One a process: what it was for, the framework's version, and its settings, such as TF32."""
    lost: dict[Bench, dict[str, Any]] = field(default_factory=dict)
    """The last time that a worker could not be started, and why."""


def read(run: RunRecord) -> Journaled:
    """Everything in the run's journal, by case.

    Raises:
        HarnessError: a line of it is broken.
    """
    journaled = Journaled()
    for number, record in enumerate(read_journal(run.folder), start=1):
        try:
            _sort_in(journaled, record)
        except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
            raise broken_line(run.folder, number, error) from error
    return journaled


def _sort_in(journaled: Journaled, record: dict[str, Any]) -> None:
    kind = record.pop("kind")
    if kind == "measurement":
        measurement = Measurement.from_json(record)
        if measurement.probe == "memory":
            journaled.memory[measurement.case] = measurement
        else:
            journaled.latency[measurement.case].append(measurement)
    elif kind == "ceilings":
        journaled.ceilings.append(record)
    elif kind == "worker":
        journaled.workers.append(record)
    elif kind == "lost":
        journaled.lost[_bench(record)] = record


def _bench(record: Mapping[str, Any]) -> Bench:
    return record["framework"], record["device"], record["threads"]


def rows(run: RunRecord, journaled: Journaled) -> list[dict[str, Any]]:
    """One row for every planned case, measured or not; see `harness.store.COLUMNS`."""
    return [
        _row(run, case, journaled.latency.get(case, []), journaled.memory.get(case), journaled)
        for case in run.cases
    ]


def _row(
    run: RunRecord,
    case: Case,
    attempts: Sequence[Measurement],
    memory: Measurement | None,
    journaled: Journaled,
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "case_id": case.id,
        **{name: value for name, value in case.to_json().items() if name != "params"},
        "params": dict(case.params),
        "family": run.families.get(case.layer, ""),
        "machine_id": run.machine.get("machine_id", ""),
        "run_id": run.run_id,
        "samples": 0,
        "passes": 0,
        "converged": False,
        "warmed": False,
        "warnings": [],
    }
    lost = journaled.lost.get((case.framework, case.device, case.threads))
    if not attempts:
        if lost:
            return {**row, "status": lost["status"], "reason": lost["reason"]}
        reason = "not measured yet; `layerbench run --resume` goes on"
        return {**row, "status": str(Status.INTERRUPTED), "reason": reason}
    first = attempts[0]
    good = [attempt for attempt in attempts if attempt.status is Status.OK]
    bad = next((attempt for attempt in attempts if attempt.status is not Status.OK), None)
    # That a layer computes something else takes its time away; that a later process failed does
    # not make what earlier ones measured untrue.
    verdict = bad if bad and (not good or bad.status is Status.MISMATCH) else None
    row |= {
        "status": str(verdict.status if verdict else Status.OK),
        "reason": _reason(verdict) if verdict else "",
        "framework_version": first.framework_version,
        "started_at": first.started_at,
        "first_call_s": first.first_call_s,
        "parameter_bytes": first.parameter_bytes,
        "input_bytes": first.input_bytes,
        "flops": first.flops,
        "bytes": first.bytes,
    }
    errors = [a.parity_error for a in attempts if a.parity_error is not None]
    row["parity_error"] = max(errors, default=None)
    if verdict is None:
        row |= _figures(case, good, run)
        fraction = _roofline_fraction(case, row, journaled.ceilings)
        row["roofline_fraction"] = fraction if fraction and fraction <= ROOF_MARGIN else None
        if memory and memory.status is Status.OK:
            row["peak_memory_bytes"] = memory.peak_memory_bytes
            row["memory_method"] = memory.memory_method
            row |= {name: getattr(memory, name) for name in OF_A_CALL}
        failures = [a for a in (bad, memory) if a and a.status is not Status.OK]
        said = _warnings(good, failures, lost, row, fraction)
        row["warnings"] = list(dict.fromkeys([*said, *(memory.warnings if memory else ())]))
    return row


def _reason(bad: Measurement) -> str:
    """Which attempt failed matters only if the same case had come through before."""
    return f"{bad.reason} (in pass {bad.pass_index + 1})" if bad.pass_index else bad.reason


def _figures(case: Case, attempts: Sequence[Measurement], run: RunRecord) -> dict[str, Any]:
    samples = np.concatenate([a.samples_s for a in attempts])
    latency = stats.pass_interval([float(np.median(a.samples_s)) for a in attempts])
    device = [float(np.median(a.device_samples_s)) for a in attempts if a.device_samples_s]
    flops = attempts[0].flops
    traffic = attempts[0].bytes
    return {
        "latency_s": latency.value,
        "latency_low_s": latency.low,
        "latency_high_s": latency.high,
        "latency_p90_s": float(np.quantile(samples, 0.9)),
        "device_time_s": float(np.median(device)) if device else None,
        "samples": len(samples),
        "passes": len(attempts),
        "converged": all(a.converged for a in attempts),
        "warmed": all(a.warmed for a in attempts),
        "throughput_per_s": case.batch / latency.value,
        "tokens_per_s": case.batch * case.seq / latency.value if case.seq else None,
        "flop_per_s": flops / latency.value if flops else None,
        "intensity": flops / traffic if flops and traffic else None,
    }


def _roofline_fraction(
    case: Case, row: Mapping[str, Any], ceilings: Sequence[Mapping[str, Any]]
) -> float | None:
    """Share of the roofline reached: the least time the machine needs, over the time it took."""
    here = [
        c
        for c in ceilings
        if (c["device"], c["threads"], c["dtype"]) == (case.device, case.threads, case.dtype)
    ]
    if not here or not row["bytes"]:
        return None
    compute = (row["flops"] or 0) / max(c["flop_per_s"] for c in here)
    traffic = row["bytes"] / max(_bandwidth(c["bandwidth"], row["bytes"]) for c in here)
    return float(max(compute, traffic) / row["latency_s"])


def _bandwidth(curve: Sequence[Sequence[float]], working_set: int) -> float:
    """The best rate seen at a working set at least this large, or the largest one's.

    Smaller sets fit into faster caches, and what a larger one reached, a smaller one can too.
    """
    rates = [rate for size, rate in curve if size >= working_set]
    return float(max(rates, default=curve[-1][1]))


def _warnings(
    attempts: Sequence[Measurement],
    failures: Sequence[Measurement],
    lost: Mapping[str, Any] | None,
    row: Mapping[str, Any],
    roofline_fraction: float | None,
) -> list[str]:
    """What a reader should know before trusting the row; each says what to do where one can."""
    said: dict[str, None] = {}
    count = len(attempts)
    for failure in failures:
        what = "peak memory" if failure.probe == "memory" else f"pass {failure.pass_index + 1}"
        said[f"{what} is missing: {failure.status}: {failure.reason}"] = None
    if lost and lost["probe"] == "latency" and lost["pass_index"] >= count:
        said[f"pass {lost['pass_index'] + 1} is missing: {lost['reason']}"] = None
    if lost and lost["probe"] == "memory" and not row.get("memory_method") and not failures:
        said[f"peak memory is missing: {lost['reason']}"] = None
    if cold := sum(not a.warmed for a in attempts):
        said[f"still changing after warm-up in {cold} of {units.count(count, 'pass')}"] = None
    if count == 1:
        said["one pass only: the interval rests on what is usual between processes"] = None
    elif row["latency_high_s"] > UNSTEADY * row["latency_s"]:
        said["passes differ much: more of them, or a quieter machine, would tell more"] = None
    for attempt in attempts:
        said.update(dict.fromkeys(attempt.warnings))
    if roofline_fraction is None and row["bytes"]:
        said[f"no roofline: what the machine can do in {row['dtype']} is not known"] = None
    if roofline_fraction and roofline_fraction > ROOF_MARGIN:
        said[
            f"error of measurement: {roofline_fraction:.2f} times the machine's measured "
            "ceiling; the declared work or the ceiling is wrong"
        ] = None
    return list(said)
