"""Raw samples as a pandas frame."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.store import rows
from harness.store.journal import read_run

if TYPE_CHECKING:
    import pandas as pd

SAMPLE_COLUMNS = {
    "case_id": "str",
    "machine_id": "str",
    "run_id": "str",
    "pass_index": "int64",
    "sample": "int64",
    "wall_s": "float64",
    "device_s": "float64",
}
"""Of a frame of raw samples; times are a call's, one sample a block of calls."""


def samples_of(folder: Path) -> pd.DataFrame:
    """The samples of one run, from its journal."""
    import numpy as np
    import pandas as pd

    run = read_run(folder)
    attempts = [
        (case.id, attempt)
        for case, attempts in rows.read(run).latency.items()
        for attempt in attempts
    ]
    counts = [len(attempt.samples_s) for _, attempt in attempts]

    def each(values: Iterable[Any], kind: str) -> Any:
        """One value an attempt, for each of its samples."""
        return pd.Series(list(values), dtype=kind).repeat(counts).reset_index(drop=True)

    def joined(parts: Iterable[Any]) -> Any:
        return np.concatenate([np.empty(0), *map(np.asarray, parts)])

    return pd.DataFrame(
        {
            "case_id": each((case_id for case_id, _ in attempts), "str"),
            "machine_id": str(run.machine.get("machine_id", "")),
            "run_id": run.run_id,
            "pass_index": each((attempt.pass_index for _, attempt in attempts), "int64"),
            "sample": joined(range(count) for count in counts).astype("int64"),
            "wall_s": joined(attempt.samples_s for _, attempt in attempts),
            "device_s": joined(
                attempt.device_samples_s or np.full(len(attempt.samples_s), np.nan)
                for _, attempt in attempts
            ),
        }
    ).astype(SAMPLE_COLUMNS)
