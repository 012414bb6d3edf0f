"""The journal of a run: what was planned, and one line for each thing that came of it.

A line is on the disk before the next measurement starts, so whatever kills the run, all that was
measured before is there. ``run.json`` holds the plan; ``journal.jsonl`` only ever grows.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from harness import faults
from harness.types import SCHEMA_VERSION, Case, HarnessError, UsageError

RUN_FILE = "run.json"
JOURNAL_FILE = "journal.jsonl"

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class RunRecord:
    """What a run set out to do, and where.

    Attributes:
        run_id: unique, and sorts by time.
        started_at: ISO 8601, UTC.
        sweep: name of the sweep.
        command: what to type to make such a run again.
        seed: of the order in which cases are measured.
        passes: how many are planned; None for as many as fit into ``budget_s``.
        rel_ci: relative half-width of the interval at which sampling stops.
        sample_s: longest sampling of a case in a pass, in seconds.
        timeout_s: how long a case may fail to answer, in seconds.
        suites: the user's own suites, as absolute paths or module names.
        families: family by layer.
        machine: see `harness.devices.machine.describe`.
        cases: the plan.
        max_memory_bytes: what a worker for the CPU may take; None for most of what is free when
            measuring begins.
        insist: on trying cases of which smaller ones ran out of memory.
        folder: where it lies; not part of the file.
    """

    run_id: str
    started_at: str
    sweep: str
    command: str
    seed: int
    passes: int | None
    budget_s: float | None
    rel_ci: float
    sample_s: float
    timeout_s: float
    suites: tuple[str, ...]
    families: Mapping[str, str]
    machine: Mapping[str, Any]
    cases: tuple[Case, ...]
    max_memory_bytes: int | None = None
    insist: bool = False
    folder: Path = field(default=Path(), compare=False)

    def to_json(self) -> dict[str, Any]:
        names = [f.name for f in dataclasses.fields(self) if f.name not in ("folder", "cases")]
        return {
            "schema": SCHEMA_VERSION,
            **{name: getattr(self, name) for name in names},
            "cases": [case.to_json() for case in self.cases],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], folder: Path) -> Self:
        values = {key: value for key, value in data.items() if key != "schema"}
        values["cases"] = tuple(map(Case.from_json, values["cases"]))
        values["suites"] = tuple(values["suites"])
        return cls(**values, folder=folder)

    def save(self) -> None:
        """Writes ``run.json``, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.to_json(), indent=1, ensure_ascii=False)
        write_atomically(self.folder / RUN_FILE, text.encode())


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces a file so that a reader sees the old content or the new, and a crash likewise."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_run(folder: Path) -> RunRecord:
    """The plan of the run in that folder.

    Raises:
        HarnessError: it is missing, broken, or of a newer version.
    """
    return _of_plan(folder, lambda data: RunRecord.from_json(data, folder))


def described(folder: Path) -> dict[str, Any]:
    """What ``run.json`` says of the run; of its cases only how many are planned.

    Raises:
        HarnessError: as `read_run`.
    """

    def told(data: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(data["cases"], list):
            raise TypeError("its cases are no list")
        record = RunRecord.from_json({**data, "cases": ()}, folder).to_json()
        del record["cases"]
        return {**record, "planned": len(data["cases"])}

    return _of_plan(folder, told)


def _of_plan(folder: Path, made: Callable[[dict[str, Any]], _Made]) -> _Made:
    path = folder / RUN_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        check_schema(path, int(data["schema"]))
        return made(data)
    except FileNotFoundError:
        raise UsageError(f"{folder} holds no run ({RUN_FILE} is missing)") from None
    except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise HarnessError(
            f"{path} is broken ({faults.told(error)}): put it back from a copy, or move {folder} "
            f"away; its {JOURNAL_FILE} still holds what was measured"
        ) from error


def check_schema(path: Path, schema: int) -> None:
    """Refuses a file of a newer version rather than misread it.

    Raises:
        HarnessError: it is newer.
    """
    if schema > SCHEMA_VERSION:
        raise HarnessError(
            f"{path} has schema {schema}, this layerbench reads up to {SCHEMA_VERSION}; "
            "install a newer layerbench"
        )


def read_journal(folder: Path, but: str = "") -> Iterator[tuple[int, dict[str, Any]]]:
    """The journal's records with the numbers of their lines; one cut short by a crash is left out.

    Args:
        folder: of the run.
        but: a kind of records that is not wanted, and so not looked at.

    Raises:
        HarnessError: a line in the middle is broken.
    """
    path = folder / JOURNAL_FILE
    if not path.exists():
        return
    unwanted = json.dumps({"kind": but}).removesuffix("}").encode()
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):  # torn
                return
            if but and line.startswith(unwanted):
                continue
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise broken_line(folder, number, error) from error


def broken_line(folder: Path, number: int, error: Exception) -> HarnessError:
    """What to tell of a line of a journal that cannot be read."""
    return HarnessError(
        f"{folder / JOURNAL_FILE}, line {number}, is broken ({faults.told(error)}); "
        "remove that line to read the rest"
    )


class Journal:
    """A run's journal, open for appending by one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Opens it, and cuts off a torn last line.

        Raises:
            UsageError: another process is writing it.
        """
        path = folder / JOURNAL_FILE
        # Without a buffer, so that nothing is left to be written when it is closed.
        self._file = path.open("a+b", buffering=0)
        if not _lock(self._file.fileno()):
            self._file.close()
            raise UsageError(f"{folder} is in use by another layerbench; wait for it to end")
        self._file.seek(0)
        content = self._file.read()
        self._file.truncate(content.rfind(b"\n") + 1)

    def append(self, kind: str, data: Mapping[str, Any]) -> None:
        """Adds one record and returns when it is on the disk.

        Raises:
            HarnessError: the disk is full, or gone.
        """
        line = json.dumps({"kind": kind, **data}, ensure_ascii=False, allow_nan=False)
        try:
            left = memoryview(line.encode() + b"\n")
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:  # a full disk, say
            raise HarnessError(
                f"{self._file.name} cannot be written ({error.strerror}); what it holds is kept: "
                "make room, and then go on (a run: `layerbench run --resume`) or begin again"
            ) from error

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _lock(descriptor: int) -> bool:
    """Takes the file for this process until it is closed, or the process ends."""
    if sys.platform == "win32":
        import msvcrt

        with contextlib.suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            return True
        return False
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
