"""Runs whose rows are drawn, not measured, on disk as `layerbench run` leaves a run.

Every layer of the catalogue, in several frameworks, modes, dtypes and sizes, with failures and
warnings among them: its plan, its ceilings, its rows as Parquet. Only the samples are not there, as
no row was made of any.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness import catalogue, store
from harness.gate.history import MOST_RUNS
from harness.store import parquet
from harness.store.journal import RUN_FILE, RunRecord
from harness.store.writing import write_atomically
from harness.types import Case, Status

if TYPE_CHECKING:
    import pandas as pd

MACHINES, RUNS = 8, 2
"""Machines, and runs of each, of which the later one counts."""
MOVED, STEP = 10, 1.2
"""In a long history, of how many cases the latency moves, and by which factor."""

_CONFIGURATIONS = {
    ("torch", "eager"): ("2.13.0", 1.0, 5e-6),
    ("torch", "compiled"): ("2.13.0", 0.8, 2e-5),
    ("tensorflow", "compiled"): ("2.21.0", 1.2, 9e-5),
}
"""Version, factor of time, and seconds a call, by framework and execution."""
_MODES = {"forward": 1.0, "backward": 2.0, "train": 3.0}
_DTYPES = {"float32": 1.0, "bfloat16": 0.6}
_SIZES = tuple(product((1, 8, 32, 128, 512), (64, 128, 256, 512, 1024, 2048, 4096, 8192)))
_WARNINGS = (
    "one pass only: its interval rests on what processes are known to differ by",
    "latency had not settled after 10 s; close other programs, or raise --sample-time",
)
_PATHS = ("MKL sgemm", "oneDNN inner product", "SDPA flash (CPU), MKL sgemm", "XLA, while loop")


def write(folder: str, count: int) -> Iterator[int]:
    """Runs of so many rows together, or a few more; their number."""
    each = -(-count // (MACHINES * RUNS))
    for _ in _runs(Path(folder), each, MACHINES, RUNS):
        pass
    yield each * MACHINES * RUNS


def write_history(folder: str, runs: int, cases: int) -> Iterator[tuple[int, str]]:
    """Runs of so many cases of a machine; their rows, and the run from which on some are slower.

    It is the middle one of those that a history asks.
    """
    at = runs - min(runs, MOST_RUNS) // 2
    made = list(_runs(Path(folder), cases, 1, runs, moved_at=at))
    yield cases * runs, made[at].run_id


def _runs(
    folder: Path, each: int, machines: int, runs: int, moved_at: int | None = None
) -> Iterator[RunRecord]:
    """Writes runs of so many cases each, collected as a run leaves them.

    Args:
        folder: for results.
        each: cases of a run, the same in all.
        machines: of which each has as many runs.
        runs: of each machine.
        moved_at: from this run on the first `MOVED` cases take `STEP` times as long.
    """
    cases = list(_cases(each))
    plan = json.dumps([case.to_json() for case in cases])
    random = np.random.default_rng(6)
    common = _common(cases)
    for machine in range(machines):
        speed = 1.5**machine * random.lognormal(0, 0.2, len(cases))
        for day in range(runs):
            if day == moved_at:
                speed[:MOVED] *= STEP
            run = _run(folder, machine, day)
            text = json.dumps(run.to_json()).replace('"cases": []', f'"cases": {plan}')
            run.folder.mkdir(parents=True)
            write_atomically(run.folder / RUN_FILE, text.encode())
            with store.Journal(run.folder) as journal:
                for framework, dtype in product(("torch", "tensorflow"), _DTYPES):
                    journal.append("ceilings", _ceilings(framework, dtype, machine))
            frame = _measured(common, speed, random, run)
            content = parquet.to_parquet(frame, parquet.source(run.folder))
            write_atomically(run.folder / store.CASES_FILE, content)
            yield run


def _cases(count: int) -> Iterator[Case]:
    """The first so many, smaller sizes of everything before larger ones of anything."""
    layers = catalogue.load().values()
    made = (
        Case(layer.name, framework, "cpu", mode, execution, dtype, 1, batch, seq, params)
        for batch, length in _SIZES
        for layer in layers
        if layer.has_seq or length == _SIZES[0][1]
        for seq in [length if layer.has_seq else None]
        for params in (tuple(preset.items()) for preset in layer.presets.values())
        for (framework, execution), mode, dtype in product(_CONFIGURATIONS, _MODES, _DTYPES)
    )
    return islice(made, count)


def _common(cases: Sequence[Case]) -> pd.DataFrame:
    """What rows of the same case share on all machines: all but what was measured."""
    import pandas as pd

    layers = catalogue.load()
    work = np.array([case.batch * (case.seq or 64) * _MODES[case.mode] for case in cases])
    by_configuration = [_CONFIGURATIONS[case.framework, case.execution] for case in cases]
    frame = pd.DataFrame([{**case.to_json(), "params": dict(case.params)} for case in cases])
    return frame.assign(
        case_id=[case.id for case in cases],
        family=[layers[case.layer].family for case in cases],
        framework_version=[version for version, _, _ in by_configuration],
        latency_s=[
            call_s + 1e-6 * amount * factor * _DTYPES[case.dtype]
            for case, amount, (_, factor, call_s) in zip(cases, work, by_configuration, strict=True)
        ],
        peak_memory_bytes=4096.0 * work,
        memory_method="VmHWM",
        parameter_bytes=2.0**20,
        input_bytes=256.0 * work,
        flops=1e6 * work,
        bytes=1e3 * work,
        intensity=1e3,
        samples=90,
        passes=3,
        operators=12.0,
        conversions=0.0,
    )


def _measured(
    common: pd.DataFrame, speed: NDArray[np.float64], random: np.random.Generator, run: RunRecord
) -> pd.DataFrame:
    """The rows of one run, with the columns of `harness.store.COLUMNS`."""
    import pandas as pd

    count = len(common)
    latency = common["latency_s"].to_numpy() * speed * random.lognormal(0, 0.03, count)
    spread = random.uniform(1.01, 1.08, count)
    status = random.choice(
        [str(each) for each in (Status.OK, Status.OOM, Status.TIMEOUT, Status.UNSUPPORTED)],
        count,
        p=[0.95, 0.01, 0.01, 0.03],
    )
    good = status == str(Status.OK)
    figures = {
        "latency_s": latency,
        "latency_low_s": latency / spread,
        "latency_high_s": latency * spread,
        "latency_p90_s": latency * 1.2,
        "first_call_s": latency * 40,
        "peak_memory_bytes": common["peak_memory_bytes"].to_numpy(),
        "throughput_per_s": common["batch"].to_numpy() / latency,
        "tokens_per_s": (common["batch"] * common["seq"]).to_numpy(np.float64) / latency,
        "flop_per_s": common["flops"].to_numpy() / latency,
        "roofline_fraction": random.uniform(0.01, 0.9, count),
        "parity_error": 10 ** random.uniform(-7, -5.4, count),
    }
    texts = {
        "status": status,
        "reason": np.where(good, "", "this was drawn and not measured"),
        "bound": np.where(good, random.choice(["compute", "memory", "overhead"], count), ""),
        "execution_path": np.where(good, random.choice(_PATHS, count), ""),
    }
    warned, flagged = random.random(count) < 0.05, random.random(count) < 0.01
    lists = {
        "warnings": pd.Series([[_WARNINGS[i % 2]] if warned[i] else [] for i in range(count)]),
        "audit": pd.Series([["trend"] if flagged[i] else [] for i in range(count)]),
    }
    frame = common.assign(
        **{name: np.where(good, values, np.nan) for name, values in figures.items()},
        **texts,
        **lists,
        converged=random.random(count) < 0.8,
        warmed=random.random(count) < 0.95,
        machine_id=str(run.machine["machine_id"]),
        run_id=run.run_id,
        started_at=run.started_at,
        model="",
    )
    frame = frame.reindex(columns=list(store.COLUMNS))
    kinds = {name: kind for name, kind in store.COLUMNS.items() if kind != "object"}
    return frame.astype(kinds)


def _run(results: Path, machine: int, day: int) -> RunRecord:
    name = f"drawn-machine-{machine}"
    started = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    run_id = f"{started:%Y%m%d-%H%M%S}-drawn-{machine:04x}"
    return RunRecord(
        run_id=run_id,
        started_at=started.isoformat(),
        sweep="drawn",
        command="make verify-scale",
        seed=0,
        passes=3,
        budget_s=None,
        rel_ci=0.01,
        sample_s=0.15,
        timeout_s=60.0,
        suites=(),
        families={},
        machine={
            "machine_id": name,
            "cpu": {"model": f"drawn processor {machine}", "logical_cores": 2},
            "memory_bytes": 16 * 2**30,
            "versions": {"torch": "2.13.0", "tensorflow": "2.21.0"},
        },
        cases=(),
        folder=results / name / run_id,
    )


def _ceilings(framework: str, dtype: str, machine: int) -> dict[str, Any]:
    return {
        "framework": framework,
        "device": "cpu",
        "threads": 1,
        "dtype": dtype,
        "flop_per_s": 9e10 / 1.5**machine,
        "bandwidth": [[2**15, 9e10], [2**20, 4e10], [2**28, 1e10]],
        "call_overhead_s": 2e-6,
    }
