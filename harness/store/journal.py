"""The journal of a run: what was planned, and one line for each thing that came of it.

A line is on the disk before the next measurement starts, so whatever kills the run, all that was
measured before is there. ``run.json`` holds the plan; ``journal.jsonl`` only ever grows.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from harness import faults, files
from harness.shapes import Use
from harness.store import sound
from harness.store.lines import decoded, encoded, loads, numbered
from harness.store.writing import lock, make_folder, remove_partial, sync_names, write_atomically
from harness.types import SCHEMA_VERSION, Case, HarnessError, UsageError

RUN_FILE = "run.json"
JOURNAL_FILE = "journal.jsonl"
REFERENCE_FOLDER = "reference"
"""Where the reference's answers are kept while a run lasts."""
CHECKED = 2
"""The schema from which on each line of a journal carries a checksum."""
TORN = "torn"
"""Kind of the record that follows a line which was cut short when whoever wrote it was killed."""

_KINDS: Mapping[Any, Sequence[str]] = {
    str: ("run_id", "started_at", "sweep", "command", "model"),
    Mapping: ("families", "machine", "uses"),
    int: ("seed",),
    int | None: ("passes", "max_memory_bytes"),
    int | float: ("rel_ci", "sample_s", "timeout_s"),
    int | float | None: ("budget_s",),
}
_NO_RECORD = (ValueError, KeyError, TypeError, AttributeError, UsageError)
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
        model: whose layers the cases are; empty if they are nobody's.
        uses: by case id, what the case is to the model.
        max_memory_bytes: what a worker for the CPU may take; None for most of what is free when
            measuring begins.
        insist: on trying cases of which smaller ones ran out of memory.
        schema: version of its files.
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
    model: str = ""
    uses: Mapping[str, Use] = field(default_factory=dict)
    max_memory_bytes: int | None = None
    insist: bool = False
    schema: int = SCHEMA_VERSION
    folder: Path = field(default=Path(), compare=False)

    def to_json(self) -> dict[str, Any]:
        told = [f.name for f in dataclasses.fields(self)]
        names = [name for name in told if name not in ("schema", "folder", "cases")]
        return {
            "schema": self.schema,
            **{name: getattr(self, name) for name in names},
            "cases": [case.to_json() for case in self.cases],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], folder: Path) -> Self:
        values = dict(data)
        values["cases"] = tuple(map(Case.from_json, values["cases"]))
        values["suites"] = tuple(values["suites"])
        values["uses"] = {name: Use(*use) for name, use in values.get("uses", {}).items()}
        run = cls(**values, folder=folder)
        sound.check_kinds(vars(run), _KINDS)
        # Both become columns of text.
        sound.check_text(run.families, *run.families)
        sound.check_text({"machine_id": "", **run.machine}, "machine_id")
        sound.check_texts(data["suites"])
        sound.check_depth(data["machine"])
        for case in run.cases:
            sound.check_case(case)
        for use in run.uses.values():
            sound.check_counts(use)
        return run

    def save(self) -> None:
        """Writes ``run.json``, whole or not at all, and a journal before it if there is none."""
        make_folder(self.folder)
        (self.folder / JOURNAL_FILE).touch()  # from now on one that is missing has been lost
        text = json.dumps(self.to_json(), indent=1, ensure_ascii=False)
        write_atomically(self.folder / RUN_FILE, text.encode())


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
        data = loads(files.read(path))
        check_schema(path, data["schema"])
        return made(data)
    except FileNotFoundError:
        raise UsageError(f"{folder} holds no run ({RUN_FILE} is missing)") from None
    except (*_NO_RECORD, OSError, RecursionError) as error:
        raise HarnessError(
            f"{path} is broken ({faults.told(error)}): put it back from a copy, or move {folder} "
            f"away; its {JOURNAL_FILE} still holds what was measured"
        ) from error


def check_schema(path: Path, schema: object) -> None:
    """Refuses a file of a newer version rather than misread it.

    Raises:
        HarnessError: it is newer.
        ValueError: it is of no version that there ever was.
    """
    if type(schema) is not int or schema < 1:
        raise ValueError(f"{schema!r} is no schema")
    if schema > SCHEMA_VERSION:
        raise HarnessError(
            f"{path} has schema {schema}, this layerbench reads up to {SCHEMA_VERSION}; "
            "install a newer layerbench"
        )


def read_journal(
    folder: Path, schema: int = SCHEMA_VERSION, but: str = ""
) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """The journal's lines: the number of each with its record, or with what is wrong with it.

    Args:
        folder: of the run.
        schema: of the run.
        but: a kind of records that is not wanted; of each there is an empty one.
    """
    path = folder / JOURNAL_FILE
    if not path.exists():
        return
    unwanted = json.dumps({"kind": but}).removesuffix("}").encode() if but else None
    for number, line in numbered(path):
        if isinstance(line, str):
            yield number, line
        elif unwanted and line.startswith(unwanted):
            yield number, {"kind": but}
        else:
            try:
                yield number, decoded(line, checked=schema >= CHECKED)
            except ValueError as error:
                yield number, str(error)


class Journal:
    """A run's journal, open for appending by one process at a time."""

    def __init__(self, folder: Path, suites: Sequence[str] = ()) -> None:
        """Opens it, and ends a line that a crash cut short.

        What there is of that line is kept, and a record after it says how it came about.

        Args:
            folder: of the run.
            suites: of the run, to tell what to type to go on with it.

        Raises:
            UsageError: another process is writing it.
            HarnessError: it cannot be written.
        """
        self._folder = folder
        self._suites = suites
        with contextlib.ExitStack() as opened:
            try:
                # Without a buffer, so that nothing is left to be written when it is closed.
                self._file = opened.enter_context((folder / JOURNAL_FILE).open("a+b", buffering=0))
                if not lock(self._file.fileno()):
                    raise UsageError(
                        f"{folder} is in use by another layerbench; wait for it to end"
                    )
                if self._is_torn():
                    self._write(b"\n" + encoded(TORN, {}))
                sync_names(folder)
            except OSError as error:
                raise self.failure(error) from error
            self._plan = None
            with contextlib.suppress(FileNotFoundError):  # a gate has none
                self._plan = opened.enter_context((folder / RUN_FILE).open("rb"))
            self._opened = opened.pop_all()

    def _is_torn(self) -> bool:
        if not self._file.seek(0, os.SEEK_END):
            return False
        self._file.seek(-1, os.SEEK_END)
        return self._file.read(1) != b"\n"

    def append(self, kind: str, data: Mapping[str, Any]) -> None:
        """Adds one record and returns when it is on the disk.

        Raises:
            HarnessError: the disk is full, or gone, or the folder was removed or moved away.
        """
        try:
            self._write(encoded(kind, data))
        except OSError as error:
            raise self.failure(error) from error
        self.check_place()

    def _write(self, content: bytes) -> None:
        """All of it, or, on a disk that is full, say, nothing: half a line would be of no use."""
        before = os.fstat(self._file.fileno()).st_size
        try:
            left = memoryview(content)
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(before)
            raise

    def check_place(self) -> None:
        """Makes sure that what is written here can be found again.

        Of a folder that was removed, what was measured is put back.

        Raises:
            HarnessError: it was removed, or moved away.
        """
        path, mine = self._folder / JOURNAL_FILE, os.fstat(self._file.fileno())
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if os.path.samestat(path.stat(), mine):
                return
        if mine.st_nlink:
            raise HarnessError(
                f"{self._folder} was moved away while it was being written; all that was measured "
                "went with it: go on there with `layerbench run --resume FOLDER`"
            )
        # Nobody's newer file is written over.
        kept = (
            self._folder.with_name(f"{self._folder.name}-kept") if path.exists() else self._folder
        )
        try:
            make_folder(kept)
            for name, file in ((RUN_FILE, self._plan), (JOURNAL_FILE, self._file)):
                if file is not None:
                    file.seek(0)
                    write_atomically(kept / name, file.read())
        except OSError as error:
            raise self.failure(error) from error
        raise HarnessError(
            f"{self._folder} was removed while it was being written; what was measured has been "
            f"put back into {kept}: go on with `{resuming(kept, self._suites)}`, or remove it again"
        )

    def failure(self, error: OSError) -> HarnessError:
        """What to tell of an error of the system that ends the run."""
        named = error.filename or self._folder / JOURNAL_FILE
        return HarnessError(
            f"{named} cannot be used ({error.strerror or error}); what was measured is kept: "
            "mend that, and then go on (a run: "
            f"`{resuming(self._folder, self._suites)}`) or begin again"
        )

    def tidy(self) -> None:
        """Removes what a run needs only while it lasts, and what one that was killed left half."""
        _tidy(self._folder)

    def close(self) -> None:
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def resuming(folder: Path, suites: Sequence[str]) -> str:
    """What to type to go on with a run of these suites."""
    named = [word for suite in suites for word in ("--suite", suite)]
    return shlex.join(["layerbench", "run", "--resume", str(folder), *named])


def tidy(folder: Path) -> None:
    """As `Journal.tidy`, of a run that was begun before; one that goes on is left alone.

    Its journal is as it was: what was damaged stays so, and is told again.
    """
    with contextlib.suppress(OSError), (folder / JOURNAL_FILE).open("r+b") as file:
        if lock(file.fileno()):
            _tidy(folder)


def _tidy(folder: Path) -> None:
    remove_partial(folder)
    shutil.rmtree(folder / REFERENCE_FOLDER, ignore_errors=True)
