"""What the exchange formats are made of: a frame, and what lies beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import units
from harness.report import rows
from harness.report.exchange.pytest_benchmark import Benchmark
from harness.report.exchange.reading import Reading
from harness.report.provenance import Run
from harness.report.rows import Row, machine_suffix
from harness.types import Status

if TYPE_CHECKING:
    import pandas as pd

_FIGURES: dict[str, Callable[[Row], float | None]] = {
    "latency": lambda row: row.latency.value if row.latency else None,
    "first_call": lambda row: row.first_call_s,
    "peak_memory": lambda row: row.peak_memory_bytes,
    "allocated": lambda row: row.peak_allocated_bytes,
    "parameters": lambda row: row.parameter_bytes,
    "flops": lambda row: row.flops,
    "operators": lambda row: row.operators,
    "kernels": lambda row: row.kernels,
}
"""By the gate's name for it, so that a tool's history may hold runs and gates."""


@dataclass(frozen=True)
class Results:
    """What is exported. Runs and samples are read by the formats that hold them, and no other.

    Attributes:
        frame: what `harness.store.load` returns.
        runs: reads what `harness.store.load_runs` returns.
        samples: reads what `harness.store.load_samples` returns.
    """

    frame: pd.DataFrame
    runs: Callable[[], Sequence[Run]]
    samples: Callable[[], pd.DataFrame]

    @property
    def newest(self) -> list[Row]:
        """The rows, of a case that was measured again the later one only."""
        return rows.newest(self.frame)


def readings(newest: Iterable[Row]) -> Iterator[Reading]:
    """Every figure of the cases that came through, of which less is better."""
    for row in newest:
        if row.status != Status.OK:
            continue
        where = f"{row.framework} {row.framework_version} on {row.machine_id}, run {row.run_id}"
        for metric, figure in _FIGURES.items():
            value = figure(row)
            if value is None:
                continue
            if metric == "latency" and (latency := row.latency):
                text = units.seconds_interval(latency.value, latency.low, latency.high)
                notes = (f"median with its 95 % interval: {text}", where)
                yield Reading.of(_name(row), metric, value, (latency.low, latency.high), notes)
            else:
                yield Reading.of(_name(row), metric, value, None, (where,))


def benchmarks(newest: Iterable[Row], samples: pd.DataFrame) -> Iterator[Benchmark]:
    """The samples of each case with a latency.

    A group is what is the same work, so that frameworks stand beside each other, and so do
    several files that are compared.
    """
    times: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    samples = samples[samples["counted"]] if "counted" in samples else samples
    columns = (samples[name] for name in ("case_id", "machine_id", "run_id", "wall_s"))
    for case, machine, run, seconds in zip(*columns, strict=True):
        times[str(case), str(machine), str(run)].append(float(seconds))
    for row in newest:
        if row.latency is None:
            continue
        measured = times.get((row.case_id, row.machine_id, row.run_id)) or [row.latency.value]
        yield Benchmark(
            group=_work(row),
            name=row.series,
            fullname=_name(row),
            samples_s=measured,
            rounds=len(measured),
            extra={
                "latency_s": row.latency.value,
                "latency_low_s": row.latency.low,
                "latency_high_s": row.latency.high,
                "passes": row.passes,
                "machine_id": row.machine_id,
                "run_id": row.run_id,
            },
        )


def _name(row: Row) -> str:
    return row.case_id + machine_suffix(row.machine_id, one_machine=row.one_machine)


def _work(row: Row) -> str:
    """The case without framework and execution."""
    parts = row.case_id.split("/")
    return "/".join((parts[0], *parts[2:4], *parts[5:])) if len(parts) == 7 else row.case_id
