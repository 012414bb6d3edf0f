"""Results as pandas frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.damage import tell
from harness.store import parquet, rows, sources
from harness.store.journal import RUN_FILE, RunRecord, described, read_run, tidy
from harness.store.reading import Table, holding_more, outdone, read_one, sound_ones
from harness.store.records import Journaled, circumstances, read, sorted_out
from harness.store.samples import SAMPLE_COLUMNS, samples
from harness.store.sources import Paths
from harness.store.writing import save
from harness.types import UsageError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "case_id": "str",
    "layer": "str",
    "family": "str",
    "framework": "str",
    "framework_version": "str",
    "device": "str",
    "mode": "str",
    "execution": "str",
    "dtype": "str",
    "threads": "int64",
    "batch": "int64",
    "seq": "Int64",
    "params": "object",
    "model": "str",
    "model_batch": "Int64",
    "occurrences": "Int64",
    "status": "str",
    "reason": "str",
    "latency_s": "float64",
    "latency_low_s": "float64",
    "latency_high_s": "float64",
    "latency_p90_s": "float64",
    "first_call_s": "float64",
    "device_time_s": "float64",
    "samples": "int64",
    "disturbed": "float64",
    "passes": "int64",
    "converged": "bool",
    "warmed": "bool",
    "peak_memory_bytes": "float64",
    "memory_method": "str",
    "peak_allocated_bytes": "float64",
    "parameter_bytes": "float64",
    "input_bytes": "float64",
    "output_bytes": "float64",
    "saved_bytes": "float64",
    "workspace_bytes": "float64",
    "throughput_per_s": "float64",
    "tokens_per_s": "float64",
    "flops": "float64",
    "bytes": "float64",
    "flop_per_s": "float64",
    "intensity": "float64",
    "roofline_fraction": "float64",
    "bound": "str",
    "parity_error": "float64",
    "approximation_error": "float64",
    "density": "float64",
    "execution_path": "str",
    "operators": "float64",
    "kernels": "float64",
    "conversions": "float64",
    "audit": "object",
    "warnings": "object",
    "machine_id": "str",
    "run_id": "str",
    "started_at": "str",
}
"""What a frame of results holds, and as which type; docs/columns.md says what each means."""


def _cases(run: RunRecord, journaled: Journaled) -> pd.DataFrame:
    return _frame(rows.rows(run, journaled), COLUMNS)


CASES_FILE = "cases.parquet"
_CASES = Table(CASES_FILE, COLUMNS, _cases)
_SAMPLES = Table("samples.parquet", SAMPLE_COLUMNS, samples)


def load(paths: Paths) -> pd.DataFrame:
    """All results at or below the paths: one row a case and run, columns as in `COLUMNS`.

    A run that is still going on or was cut short is there too: ``cases.parquet`` is read where it
    holds what the journal would give, or is all there is, and the journal elsewhere. Rows of a run
    with equal parameters may share one dict; copy it before you change it. A Parquet or CSV
    file may be named, too.

    Whatever is sound is read. A file, or a line of one, that is not is left out, and a
    `harness.damage.DamagedResultsWarning` names it.

    Raises:
        HarnessError: a path does not exist or holds no results, or nothing at the paths is sound
            and of a version that this layerbench reads.
    """
    return _load(paths, _CASES)


def load_samples(paths: Paths) -> pd.DataFrame:
    """Every sample of every case, in the order taken; columns as in `SAMPLE_COLUMNS`.

    Raises:
        HarnessError: as `load`, which also tells what becomes of damaged files.
    """
    return _load(paths, _SAMPLES)


def load_runs(paths: Paths) -> list[dict[str, Any]]:
    """What each run was and where: its ``run.json`` less the cases, its ceilings and workers.

    Raises:
        HarnessError: as `load`, or of a run there is nothing but Parquet files.
    """

    def told(source: Path) -> dict[str, Any]:
        if source.name != RUN_FILE:
            raise _without_run(source)
        run = described(source.parent)
        around = circumstances(source.parent, run["run_id"], run["schema"])
        tell(around.damage)
        return {**run, "ceilings": around.ceilings, "workers": around.workers}

    return list(sound_ones(sources.files(paths, CASES_FILE), told))


def run_folders(paths: Paths) -> list[Path]:
    """The folder of each run at or below the paths.

    Raises:
        HarnessError: as `load`.
    """
    return [source.parent for source in sources.files(paths, CASES_FILE)]


def cases_of(folder: Path) -> pd.DataFrame:
    """The rows of one run, from its journal."""
    run = read_run(folder)
    return _cases(run, read(run))


def _frame(records: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    import pandas as pd

    data = {}
    for name, kind in columns.items():
        missing = "" if kind == "str" else None
        values = [record.get(name, missing) for record in records]
        data[name] = pd.Series(values, dtype="object" if kind == "object" else kind)
    return pd.DataFrame(data)


def _load(paths: Paths, table: Table) -> pd.DataFrame:
    import pandas as pd

    frames: list[pd.DataFrame] = []
    stored: list[parquet.Columns] = []

    def take_stored() -> None:
        """Many files become one frame sooner than many frames do."""
        if stored:
            frames.append(parquet.joined(stored, table.columns))
            stored.clear()

    for found in sound_ones(sources.files(paths, table.name), lambda file: read_one(file, table)):
        if isinstance(found, pd.DataFrame):
            take_stored()
            frames.append(found)
        else:
            stored.append(found)
    take_stored()
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


def collect(paths: Paths) -> list[Path]:
    """Writes each run's cases and samples as Parquet, each file whole or not at all.

    A file that holds more than the run's journal does now, which has lost lines, is left as it is.
    What a run that was killed has left of itself beside its journal is removed.

    Raises:
        HarnessError: as `load`, or a run's folder cannot be written to.
    """
    found = sources.files(paths, CASES_FILE)
    runs = [source for source in found if source.name == RUN_FILE]
    if not runs:
        raise _without_run(found[0])
    written: list[Path] = []
    for run, journaled, made_from in sound_ones(runs, _whole):
        tidy(run.folder)
        damage = journaled.damage
        for table in (_CASES, _SAMPLES):
            file, frame = run.folder / table.name, table.made(run, journaled)
            if holding_more(file, frame, table) is not None:
                tell(outdone(damage, file, "is left as it is"))
                continue
            # Of a damaged run it is never current: its journal is read each time, and told.
            content = parquet.to_parquet(frame, "" if damage else made_from, damage)
            remedy = "its journal holds what was measured: mend that, then `layerbench collect`"
            save(file, content, remedy)
            written.append(file)
        tell(damage)
    return written


def _whole(source: Path) -> tuple[RunRecord, Journaled, str]:
    """A run, its journal, and what it was before they were read, as it may be going on."""
    made_from = parquet.source(source.parent)
    run = read_run(source.parent)
    return run, sorted_out(run), made_from


def empty() -> pd.DataFrame:
    """No results, in all of the columns."""
    return _frame((), COLUMNS)


def _without_run(source: Path) -> UsageError:
    return UsageError(
        f"{source.parent} holds no {RUN_FILE}, which says what the run was and where; "
        "copy the whole folder of the run"
    )
