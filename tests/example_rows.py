"""Rows shaped like measured ones, as many as a test asks for: those of the example, over again."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import harness
from harness import store
from tools import example

RESULTS = Path(harness.__file__).parents[1] / example.RESULTS
THREADS = (1, 2)
_SLOWER = 1.07
"""Each further machine or setting, so that no two are alike."""


def at_least(
    number: int, threads: Sequence[int] = THREADS
) -> tuple[pd.DataFrame, list[dict[str, Any]], pd.DataFrame]:
    """Rows of one machine after another, their runs, and their samples.

    Args:
        number: of rows.
        threads: the settings of each machine.
    """
    runs = store.load_runs(RESULTS)
    whole = store.load(RESULTS)
    frame = whole[whole["run_id"] == whole["run_id"].mode()[0]]
    samples = store.load_samples(RESULTS)
    samples = samples[samples["run_id"].isin(frame["run_id"])]
    (run,) = (run for run in runs if run["run_id"] in set(frame["run_id"]))
    tables, taken, described = [], [], []
    for turn in range(-(-number // len(frame))):
        machine, setting = divmod(turn, len(threads))
        factor = _SLOWER**turn
        names = {"run_id": f"-{machine}", "case_id": f"-t{threads[setting]}"}
        ids = {name: frame[name] + ending for name, ending in names.items()}
        table = frame.assign(
            machine_id=frame["machine_id"] + names["run_id"], threads=threads[setting], **ids
        )
        times = [name for name in table if str(name).startswith("latency_")]
        table[times] *= factor
        tables.append(table)
        ids = {name: samples[name] + ending for name, ending in names.items()}
        taken.append(samples.assign(wall_s=samples["wall_s"] * factor, **ids))
        if not setting:
            described.append(_named(run, names["run_id"]))
    return pd.concat(tables, ignore_index=True), described, pd.concat(taken, ignore_index=True)


def _named(run: dict[str, Any], ending: str) -> dict[str, Any]:
    found = copy.deepcopy(run)
    found["run_id"] += ending
    found["machine"]["machine_id"] += ending
    return found
