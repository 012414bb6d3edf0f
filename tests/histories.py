"""Histories made by hand: frames and runs of one case a row, with noise and steps as told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from frames import frame, machine, row, run

from harness.stats import Interval

FIRST = datetime(2026, 11, 1, 10, tzinfo=UTC)
Change = Callable[[int], Any]


def series(logs: Sequence[float] | np.ndarray[Any, Any], base_s: float = 1e-3) -> list[Interval]:
    """Latencies whose logarithms lie so far from that of ``base_s``, each ±3 % by itself."""
    times = base_s * np.exp(np.asarray(logs, dtype=np.float64))
    return [Interval(float(s), float(s) / 1.03, float(s) * 1.03) for s in times]


def noise(runs: int, sd: float = 0.01, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(0, sd, runs)


def stored(
    cases: Sequence[Sequence[float] | np.ndarray[Any, Any]],
    machine_id: str = "box",
    prefix: str = "run",
    **differing: Change,
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """What a results folder holds of cases with these logarithms of latencies, a run a day.

    Args:
        cases: the logarithms, one series a case.
        machine_id: of all runs.
        prefix: of their ids.
        differing: entries of the machine's description by run, such as ``python``.
    """
    length = max(map(len, cases))
    times = [(FIRST + timedelta(days=day)).isoformat() for day in range(length)]
    rows = [
        row(
            1e-3 * float(np.exp(values[day])),
            batch=2**index,
            machine_id=machine_id,
            run_id=f"{prefix}-{day}",
            started_at=times[day],
        )
        for index, values in enumerate(cases)
        for day in range(len(values))
    ]
    runs = [
        run(
            run_id=f"{prefix}-{day}",
            started_at=times[day],
            machine=machine(
                machine_id=machine_id,
                **{
                    "git_commit": f"{day + 1:040x}"[::-1],
                    "git_dirty": False,
                    **{name: value(day) for name, value in differing.items()},
                },
            ),
        )
        for day in range(length)
    ]
    return frame(rows), runs
