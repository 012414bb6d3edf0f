"""One run as one frame: from its journal, or from the Parquet file beside it if that is better."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from harness.damage import Damage, noticed, tell
from harness.store import csv_file, parquet
from harness.store.journal import JOURNAL_FILE, RUN_FILE, RunRecord, read_run
from harness.store.records import Journaled, sorted_out
from harness.types import HarnessError, Status

if TYPE_CHECKING:
    import pandas as pd

_Made = TypeVar("_Made")


class Table(NamedTuple):
    """What a run is made a frame of.

    Attributes:
        name: of the Parquet file beside the run's journal.
        columns: of the frame.
        made: the frame, of a run and what its journal holds.
    """

    name: str
    columns: Mapping[str, str]
    made: Callable[[RunRecord, Journaled], pd.DataFrame]


def sound_ones(files: Sequence[Path], made: Callable[[Path], _Made]) -> Iterator[_Made]:
    """What each file gives; those that give nothing are told.

    Raises:
        HarnessError: none gives anything.
    """
    failed: list[tuple[Path, HarnessError]] = []
    for source in files:
        try:
            yield made(source)
        except HarnessError as error:
            failed.append((source, error))
    if len(failed) == len(files):
        first = failed[0][1]
        if len(failed) > 1:
            raise HarnessError(f"{first}; nor can any of the other {len(failed) - 1} be read")
        raise first
    for source, reason in failed:
        tell(Damage.of(source, reason, "its results are left out"))


def read_one(source: Path, table: Table) -> pd.DataFrame | parquet.Columns:
    """A file's content, or a run's: its Parquet file if that holds the same, as it is read sooner.

    Raises:
        HarnessError: nothing of it can be read.
    """
    if source.suffix == ".csv":
        return csv_file.read(source, table.columns)
    if source.name != RUN_FILE:
        return parquet.read(source, table.columns)
    folder, beside = source.parent, source.with_name(table.name)
    broken: HarnessError | None = None
    if beside.exists():
        try:
            if parquet.made_from(beside) == parquet.source(folder):
                return parquet.read(beside, table.columns)
        except HarnessError as error:
            broken = error
    try:
        frame, damage = _made(folder, table)
    except HarnessError as error:
        if broken or not beside.exists():
            raise
        stored = parquet.read(beside, table.columns)
        tell(Damage.of(source, error, f"{table.name} was read instead"))
        return stored
    if broken:
        tell(Damage.of(beside, broken, "its journal was read instead"))
    elif (more := holding_more(beside, frame, table)) is not None:
        tell(outdone(damage, beside, "is read instead"))
        return more
    tell(damage)
    return frame


def _made(folder: Path, table: Table) -> tuple[pd.DataFrame, Damage | None]:
    """The frame of a run from its journal, and what of that was damaged."""
    run = read_run(folder)
    journaled = sorted_out(run)
    return table.made(run, journaled), journaled.damage


def holding_more(path: Path, frame: pd.DataFrame, table: Table) -> pd.DataFrame | None:
    """What was made of a run earlier, if that is more than its journal gives now.

    A journal only grows, so it has then lost lines, even if those that are left are all sound.
    """
    if not path.exists():
        return None
    try:
        with noticed(lambda damage: None):
            stored = parquet.joined([parquet.read(path, table.columns)], table.columns)
    except HarnessError:
        return None
    return stored if _held(stored) > _held(frame) else None


def outdone(damage: Damage | None, path: Path, done: str) -> Damage:
    """Of a journal that holds less than the file beside it."""
    damage = damage or Damage(path.with_name(JOURNAL_FILE), "lines of it are missing")
    more = f"{path.name}, made of it before, holds more and {done}"
    return replace(damage, what=f"{damage.what}; {more}; remove that file if it should not be")


def _held(frame: pd.DataFrame) -> int:
    """How much of a run a frame knows: samples, or passes and what came of the other cases."""
    if "status" not in frame:
        return len(frame)
    return int((frame["status"] != Status.INTERRUPTED).sum() + frame["passes"].sum())
