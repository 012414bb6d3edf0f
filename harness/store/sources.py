"""Where results lie: from the paths that somebody gives to the files that are read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

from harness.store.journal import JOURNAL_FILE, RUN_FILE
from harness.types import UsageError

EXAMPLE = "example"
"""The folder of results that come with the project; nobody's own, and from another machine."""

Paths: TypeAlias = str | Path | Sequence[str | Path]


def files(paths: Paths, name: str) -> list[Path]:
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
        if path.is_file() and path.name not in (RUN_FILE, JOURNAL_FILE):
            raise UsageError(f"{path} holds no results; give a run's folder, or its .parquet file")
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


def latest_run(results: str | Path) -> Path:
    """The folder of the run that was begun last.

    Raises:
        UsageError: there is none.
    """
    runs = _below(Path(results), RUN_FILE)
    if not runs:
        raise UsageError(f"{results} holds no run; `layerbench run` makes one")
    return max(runs, key=_in_order).parent
