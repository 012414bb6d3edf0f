"""From a run's journal to one row a case. Statistics are derived here and stored nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness import disturbance, stats
from harness.stats import Interval
from harness.store import audit, disturbed, scaling
from harness.store.journal import RunRecord
from harness.store.records import Journaled
from harness.store.roofline import Roof, bound, roof
from harness.types import Bench, Case, Measurement, Status

OF_A_CALL = (
    *("execution_path", "operators", "kernels", "conversions"),
    *("output_bytes", "saved_bytes", "workspace_bytes", "peak_allocated_bytes"),
)
"""What the memory round's process finds out about a call beside its peak."""


def rows(run: RunRecord, journaled: Journaled) -> list[dict[str, Any]]:
    """One row for every planned case, measured or not; see `harness.store.COLUMNS`."""
    made = {
        case: _row(
            run, case, journaled.latency.get(case, []), journaled.memory.get(case), journaled
        )
        for case in run.cases
    }
    _judge(made, journaled)
    return [made[case] for case in run.cases]


def _judge(made: Mapping[Case, dict[str, Any]], journaled: Journaled) -> None:
    """Adds to the measured rows what binds them and what their audit found.

    A row is judged beside its neighbours, so all of them must have been made before.
    """
    measured = {case: row for case, row in made.items() if "latency_s" in row}
    latency = {
        case: Interval(row["latency_s"], row["latency_low_s"], row["latency_high_s"])
        for case, row in measured.items()
    }
    roofs = {
        case: roof(case, row["flops"], row["bytes"], journaled.ceilings)
        for case, row in measured.items()
    }
    pairs = scaling.pairs(measured)
    shares = scaling.fixed_shares(pairs, latency, roofs)
    bounds = {
        case: bound(latency[case].value, roofs[case], shares.get(case, 0.0)) for case in measured
    }
    growth = audit.growth(pairs, latency, bounds)
    for case, row in measured.items():
        good = [a for a in journaled.latency[case] if a.status is Status.OK]
        counted = [disturbance.only_counted(attempt) for attempt in good]
        found = audit.findings(counted, latency[case].value, roofs[case])
        found += [growth[case]] if case in growth else []
        row["roofline_fraction"] = _fraction(latency[case].value, roofs[case])
        in_error = any(finding.check == "ceiling" for finding in found)
        row["bound"] = "" if in_error else bounds[case]
        row["audit"] = [finding.check for finding in found]
        said = [
            *row["warnings"],
            *audit.remarks(good),
            *disturbed.remarks(good),
            *(warning for attempt in good for warning in attempt.warnings),
            *(finding.sentence for finding in found),
        ]
        if roofs[case] is None and row["bytes"]:
            said.append(f"no roofline: what the machine can do in {case.dtype} is not known")
        if why := journaled.no_ceilings.get((Bench.of(case), case.dtype)):
            said.append(f"{case.framework}'s own ceilings could not be measured: {why}")
        row["warnings"] = list(dict.fromkeys(said))


def _fraction(latency_s: float, roof: Roof | None) -> float | None:
    """Share of the roofline reached; none where it is an error of measurement."""
    fraction = roof.least_s / latency_s if roof else None
    return fraction if fraction and fraction <= audit.ROOF_MARGIN else None


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
        **_use(run, case),
        "machine_id": run.machine.get("machine_id", ""),
        "run_id": run.run_id,
        "samples": 0,
        "passes": 0,
        "converged": False,
        "warmed": False,
        "bound": "",
        "audit": [],
        "warnings": [],
    }
    lost = journaled.lost.get(Bench.of(case))
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
        "density": first.density,
        "bytes": first.bytes,
    }
    errors = [a.parity_error for a in attempts if a.parity_error is not None]
    row["parity_error"] = max(errors, default=None)
    row["approximation_error"] = first.approximation_error
    if verdict is None:
        counted = [disturbance.only_counted(attempt) for attempt in good]
        row |= _figures(case, counted, run)
        row["samples"] = sum(len(attempt.samples_s) for attempt in good)
        row["disturbed"] = disturbed.share(good)
        if memory and memory.status is Status.OK:
            row["peak_memory_bytes"] = memory.peak_memory_bytes
            row["memory_method"] = memory.memory_method
            row |= {name: getattr(memory, name) for name in OF_A_CALL}
        failures = [a for a in (bad, memory) if a and a.status is not Status.OK]
        told = memory.warnings if memory else ()
        row["warnings"] = [*_missing(len(good), failures, lost, row), *told]
    return row


def _use(run: RunRecord, case: Case) -> dict[str, Any]:
    use = run.uses.get(case.id)
    if use is None:
        return {}
    return {"model": run.model, "model_batch": use.batch, "occurrences": use.occurrences}


def _reason(bad: Measurement) -> str:
    """Which attempt failed matters only if the same case had come through before."""
    return f"{bad.reason} (in pass {bad.pass_index + 1})" if bad.pass_index else bad.reason


def _figures(case: Case, attempts: Sequence[Measurement], run: RunRecord) -> dict[str, Any]:
    samples = np.concatenate([a.samples_s for a in attempts])
    latency = stats.pass_interval([stats.series_interval(a.samples_s) for a in attempts])
    device = [float(np.median(a.device_samples_s)) for a in attempts if a.device_samples_s]
    flops = attempts[0].flops
    traffic = attempts[0].bytes
    return {
        "latency_s": latency.value,
        "latency_low_s": latency.low,
        "latency_high_s": latency.high,
        "latency_p90_s": float(np.quantile(samples, 0.9)),
        "device_time_s": float(np.median(device)) if device else None,
        "passes": len(attempts),
        "converged": all(a.converged for a in attempts),
        "warmed": all(a.warmed for a in attempts),
        "throughput_per_s": case.batch / latency.value,
        "tokens_per_s": case.batch * case.seq / latency.value if case.seq else None,
        "flop_per_s": flops / latency.value if flops else None,
        "intensity": flops / traffic if flops and traffic else None,
    }


def _missing(
    passes: int,
    failures: Sequence[Measurement],
    lost: Mapping[str, Any] | None,
    row: Mapping[str, Any],
) -> list[str]:
    """What was to be measured of this row and was not, and why."""
    said = []
    for failure in failures:
        what = "peak memory" if failure.probe == "memory" else f"pass {failure.pass_index + 1}"
        said.append(f"{what} is missing: {failure.status}: {failure.reason}")
    if lost and lost["probe"] == "latency" and lost["pass_index"] >= passes:
        said.append(f"pass {lost['pass_index'] + 1} is missing: {lost['reason']}")
    if lost and lost["probe"] == "memory" and not row.get("memory_method") and not failures:
        said.append(f"peak memory is missing: {lost['reason']}")
    return said
