"""Results as pandas frames."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.store import csv_file, parquet, rows
from harness.store.journal import RUN_FILE, described, read_run, write_atomically
from harness.store.samples import SAMPLE_COLUMNS, samples_of
from harness.store.writing import writing
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
    "status": "str",
    "reason": "str",
    "latency_s": "float64",
    "latency_low_s": "float64",
    "latency_high_s": "float64",
    "latency_p90_s": "float64",
    "first_call_s": "float64",
    "device_time_s": "float64",
    "samples": "int64",
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

CASES_FILE = "cases.parquet"
SAMPLES_FILE = "samples.parquet"
EXAMPLE = "example"
"""The folder of results that come with the project; nobody's own, and from another machine."""

Paths: TypeAlias = str | Path | Sequence[str | Path]


def load(paths: Paths) -> pd.DataFrame:
    """All results at or below the paths: one row a case and run, columns as in `COLUMNS`.

    A run that is still going on or was cut short is there too: ``cases.parquet`` is read where it
    holds what the journal would give, or is all there is, and the journal elsewhere. Rows of a run
    with equal parameters may share one dict; copy it before you change it. A Parquet or CSV
    file may be named, too.

    Raises:
        HarnessError: a path does not exist or holds no results, or a file is broken or newer
            than this version of layerbench.
    """
    return _load(paths, CASES_FILE, COLUMNS, cases_of)


def load_samples(paths: Paths) -> pd.DataFrame:
    """Every sample of every case, in the order taken; columns as in `SAMPLE_COLUMNS`.

    Raises:
        HarnessError: as `load`.
    """
    return _load(paths, SAMPLES_FILE, SAMPLE_COLUMNS, samples_of)


def latest_run(results: str | Path) -> Path:
    """The folder of the run that was begun last.

    Raises:
        UsageError: there is none.
    """
    runs = _below(Path(results), RUN_FILE)
    if not runs:
        raise UsageError(f"{results} holds no run; `layerbench run` makes one")
    return max(runs, key=_in_order).parent


def load_runs(paths: Paths) -> list[dict[str, Any]]:
    """What each run was and where: its ``run.json`` less the cases, its ceilings and workers.

    Raises:
        HarnessError: as `load`, or of a run there is nothing but Parquet files.
    """
    found = []
    for source in _sources(paths, CASES_FILE):
        if not (source.parent / RUN_FILE).exists():
            raise _without_run(source)
        around = rows.circumstances(source.parent)
        told = {"ceilings": around.ceilings, "workers": around.workers}
        found.append({**described(source.parent), **told})
    return found


def run_folders(paths: Paths) -> list[Path]:
    """The folder of each run at or below the paths.

    Raises:
        HarnessError: as `load`.
    """
    return [source.parent for source in _sources(paths, CASES_FILE)]


def cases_of(folder: Path) -> pd.DataFrame:
    """The rows of one run, from its journal."""
    run = read_run(folder)
    return _frame(rows.rows(run, rows.read(run)), COLUMNS)


def _frame(records: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    import pandas as pd

    data = {}
    for name, kind in columns.items():
        missing = "" if kind == "str" else None
        values = [record.get(name, missing) for record in records]
        data[name] = pd.Series(values, dtype="object" if kind == "object" else kind)
    return pd.DataFrame(data)


def _load(
    paths: Paths, name: str, columns: Mapping[str, str], from_run: Callable[[Path], pd.DataFrame]
) -> pd.DataFrame:
    import pandas as pd

    files = [_to_read(source, name) for source in _sources(paths, name)]
    frames = []
    for suffix, group in groupby(files, key=lambda file: file.suffix):
        if suffix == Path(RUN_FILE).suffix:
            frames += [from_run(file.parent) for file in group]
        elif suffix == ".csv":
            frames += [csv_file.read(file, columns) for file in group]
        else:
            frames.append(parquet.read(list(group), columns))
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


def _to_read(source: Path, name: str) -> Path:
    """The run itself, or the Parquet file beside it that holds the same and is read sooner."""
    collected = source.with_name(name)
    is_run = source.name == RUN_FILE
    return collected if is_run and parquet.is_current(collected) else source


def _sources(paths: Paths, name: str) -> list[Path]:
    """For each run at or below the paths its ``run.json``, or the Parquet file if that is all.

    Raises:
        UsageError: a path does not exist or holds no results.
    """
    found: dict[Path, Path] = {}  # by where it really lies, as two paths may lead there
    for path in _paths(paths):
        if not path.exists():
            raise UsageError(f"{path} does not exist; give a run's folder or one above it")
        if path.is_file() and path.suffix in (".parquet", ".csv"):
            found.setdefault(path.resolve(), path)
            continue
        folder = path.parent if path.is_file() else path
        runs = _below(folder, RUN_FILE)
        alone = [f for f in _below(folder, name) if not (f.parent / RUN_FILE).exists()]
        if not runs and not alone:
            raise UsageError(f"{path} holds no results; `layerbench run` makes some")
        for file in sorted({*runs, *alone}, key=_in_order):
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _paths(paths: Paths) -> list[Path]:
    listed = [paths] if isinstance(paths, str | os.PathLike) else paths
    if not isinstance(listed, Iterable) or not (given := list(listed)):
        raise UsageError(f"{paths!r} names no path; give a run's folder or one above it")
    for path in given:
        if not isinstance(path, str | os.PathLike) or not os.fspath(path):
            raise UsageError(f"{path!r} is not a path; give a run's folder or one above it")
    return list(map(Path, given))


def _in_order(file: Path) -> tuple[str, str]:
    """By the name of the run's folder, which begins with its time; of equal ones by the path."""
    return file.parent.name, str(file)


def _below(folder: Path, name: str) -> list[Path]:
    """Files of that name; those under ``example/`` only if the search starts there."""
    found = folder.rglob(name)
    return [file for file in found if EXAMPLE not in file.relative_to(folder).parts]


def collect(paths: Paths) -> list[Path]:
    """Writes each run's cases and samples as Parquet, each file whole or not at all.

    Raises:
        HarnessError: as `load`, or a run's folder cannot be written to.
    """
    sources = _sources(paths, CASES_FILE)
    folders = [source.parent for source in sources if (source.parent / RUN_FILE).exists()]
    if not folders:
        raise _without_run(sources[0])
    written = []
    for folder in folders:
        made_from = parquet.source(folder)  # before it is read, as a run may be going on
        for name, frame in ((CASES_FILE, cases_of(folder)), (SAMPLES_FILE, samples_of(folder))):
            with writing(folder, "the run's own files are as they were"):
                write_atomically(folder / name, parquet.to_parquet(frame, made_from))
            written.append(folder / name)
    return written


def empty() -> pd.DataFrame:
    """No results, in all of the columns."""
    return _frame((), COLUMNS)


def _without_run(source: Path) -> UsageError:
    return UsageError(
        f"{source.parent} holds no {RUN_FILE}, which says what the run was and where; "
        "copy the whole folder of the run"
    )
