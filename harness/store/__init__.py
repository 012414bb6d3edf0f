"""Results on disk: the journal of a run, and pandas frames made from it."""

from harness.damage import Damage, DamagedResultsWarning
from harness.store.csv_file import to_csv
from harness.store.frame import (
    CASES_FILE,
    COLUMNS,
    cases_of,
    collect,
    empty,
    load,
    load_runs,
    load_samples,
    run_folders,
)
from harness.store.journal import Journal, RunRecord, read_run, resuming, tidy
from harness.store.parquet import to_parquet
from harness.store.records import Journaled, read
from harness.store.samples import SAMPLE_COLUMNS
from harness.store.sources import latest_run

__all__ = [
    "CASES_FILE",
    "COLUMNS",
    "SAMPLE_COLUMNS",
    "Damage",
    "DamagedResultsWarning",
    "Journal",
    "Journaled",
    "RunRecord",
    "cases_of",
    "collect",
    "empty",
    "latest_run",
    "load",
    "load_runs",
    "load_samples",
    "read",
    "read_run",
    "resuming",
    "run_folders",
    "tidy",
    "to_csv",
    "to_parquet",
]
