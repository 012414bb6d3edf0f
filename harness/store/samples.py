"""Raw samples as a pandas frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from harness import disturbance
from harness.store.journal import RunRecord
from harness.store.records import Journaled

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
    "disturbed": "bool",
    "counted": "bool",
}
"""Of a frame of raw samples; times are a call's, one sample a block of calls.

What was ``disturbed`` has ``counted`` all the same where too little else was there."""


def samples(run: RunRecord, journaled: Journaled) -> pd.DataFrame:
    """Every sample of one run."""
    import numpy as np
    import pandas as pd

    attempts = [
        (case.id, attempt) for case, attempts in journaled.latency.items() for attempt in attempts
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
            "disturbed": joined(
                disturbance.marked(attempt.disturbances or (), len(attempt.samples_s))
                for _, attempt in attempts
            ),
            "counted": joined(disturbance.counted(attempt) for _, attempt in attempts),
        }
    ).astype(SAMPLE_COLUMNS)
