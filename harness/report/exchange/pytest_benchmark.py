"""The file that ``pytest --benchmark-json`` writes, for ``pytest-benchmark compare``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_VERSION = "5.1.0"
"""Of pytest-benchmark, as which the file is written."""


@dataclass(frozen=True)
class Benchmark:
    """One line of its table.

    Attributes:
        group: of lines that are set beside each other.
        name: in its group.
        fullname: in all of the file.
        samples_s: of a call, in seconds; one or more.
        rounds: that these samples stand for.
        extra: JSON, kept beside.
    """

    group: str
    name: str
    fullname: str
    samples_s: Sequence[float]
    rounds: int
    extra: Mapping[str, Any]


def render(
    benchmarks: Iterable[Benchmark],
    machine: Mapping[str, Any],
    commit: str,
    dirty: bool,
    started_at: str,
) -> str:
    """The whole file; who calls leaves out what has no latency."""
    data = {
        "machine_info": dict(machine),
        "commit_info": {"id": commit, "dirty": dirty},
        "benchmarks": list(map(_entry, benchmarks)),
        "datetime": started_at,
        "version": _VERSION,
    }
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


def _entry(benchmark: Benchmark) -> dict[str, Any]:
    return {
        "group": benchmark.group,
        "name": benchmark.name,
        "fullname": benchmark.fullname,
        "params": None,
        "param": None,
        "extra_info": dict(benchmark.extra),
        "options": {},
        "stats": _stats(benchmark.samples_s, benchmark.rounds),
    }


def _stats(samples_s: Sequence[float], rounds: int) -> dict[str, Any]:
    """What ``pytest_benchmark.stats.Stats`` makes of samples; quartiles by interpolation."""
    import numpy as np

    samples = np.sort(np.asarray(samples_s, dtype=np.float64))
    q1, median, q3 = (float(value) for value in np.quantile(samples, (0.25, 0.5, 0.75)))
    fence = 1.5 * (q3 - q1)
    inside = samples[(samples >= q1 - fence) & (samples <= q3 + fence)]
    mean = float(samples.mean())
    stddev = float(samples.std(ddof=1)) if len(samples) > 1 else 0.0
    outliers = int((abs(samples - mean) > stddev).sum()), len(samples) - len(inside)
    return {
        "min": float(samples[0]),
        "max": float(samples[-1]),
        "mean": mean,
        "stddev": stddev,
        "rounds": rounds,
        "iterations": 1,
        "median": median,
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": outliers[1],
        "stddev_outliers": outliers[0],
        "outliers": f"{outliers[0]};{outliers[1]}",
        "ld15iqr": float(inside[0]),
        "hd15iqr": float(inside[-1]),
        "ops": 1 / mean,
        "total": mean * rounds,
    }
