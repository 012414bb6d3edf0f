"""What a run's journal holds: its records sorted, the sound ones from the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import faults
from harness.damage import Damage, LostLines, tell
from harness.store import sound
from harness.store.journal import JOURNAL_FILE, TORN, RunRecord, read_journal
from harness.types import Bench, Case, Measurement, UsageError

_REMEDY = "`layerbench run --resume` measures again what is missing for it"


@dataclass
class Journaled:
    """A run's journal, sorted."""

    latency: dict[Case, list[Measurement]] = field(default_factory=lambda: defaultdict(list))
    memory: dict[Case, Measurement] = field(default_factory=dict)
    ceilings: list[dict[str, Any]] = field(default_factory=list)
    workers: list[dict[str, Any]] = field(default_factory=list)
    """One a process: what it was for, the framework's version, and its settings, such as TF32."""
    no_ceilings: dict[tuple[Bench, str], str] = field(default_factory=dict)
    """Why the ceilings of a dtype could not be measured, the last time that they could not."""
    rounds: list[dict[str, Any]] = field(default_factory=list)
    """Each walk over the plan that came to its end, and how long it took."""
    lost: dict[Bench, dict[str, Any]] = field(default_factory=dict)
    """The last time that a worker could not be started, and why."""
    damage: Damage | None = None
    """What is not here, as the line of it is damaged."""


def read(run: RunRecord, *, part: bool = False) -> Journaled:
    """Everything in the run's journal, by case; what is damaged is told, and left out.

    Args:
        run: which.
        part: whether its cases are but a part of those that the journal may hold.
    """
    found = sorted_out(run, part=part)
    tell(found.damage)
    return found


def sorted_out(run: RunRecord, *, part: bool = False) -> Journaled:
    """As `read`, and the damage is not told but given."""
    planned = None if part else frozenset(run.cases)
    return _Sorting(planned, run.run_id).of(run.folder, read_journal(run.folder, run.schema))


def circumstances(folder: Path, run_id: str, schema: int) -> Journaled:
    """As `sorted_out`, without the measurements, which are nearly all of a journal."""
    lines = read_journal(folder, schema, but="measurement")
    return _Sorting(None, run_id, measurements=False).of(folder, lines)


class _Sorting:
    """Sorts the lines of one journal, the sound from the others."""

    def __init__(
        self, planned: frozenset[Case] | None, run_id: str, *, measurements: bool = True
    ) -> None:
        self._planned = planned
        self._run_id = run_id
        self._measurements = measurements
        self._rounds: dict[tuple[Case, str, int], Measurement] = {}
        self._found = Journaled()
        self._foreign = ""

    def of(self, folder: Path, lines: Iterable[tuple[int, dict[str, Any] | str]]) -> Journaled:
        path = folder / JOURNAL_FILE
        if not path.exists():
            self._found.damage = Damage(path, "it is missing; put it back from a copy")
            return self._found
        lost = LostLines()
        number, wrong = 0, ""
        for number, record in lines:
            # A line that was cut short by a crash, and is followed by a record that says so, holds
            # nothing that was ever known: its case was measured again.
            if wrong and not (isinstance(record, dict) and record["kind"] == TORN):
                lost.add(number - 1, wrong)
            wrong = record if isinstance(record, str) else self._take(record)
        if wrong:
            lost.add(number, wrong)
        self._found.damage = lost.damage(path, number, _REMEDY)
        return self._found

    def _take(self, record: dict[str, Any]) -> str:
        """What is wrong with the record, in words, if anything."""
        try:
            self._sort_in(record.pop("kind"), record)
        except (ValueError, UsageError) as error:
            return faults.words(error)
        except (KeyError, TypeError, AttributeError) as error:
            return f"it is no record of its kind ({faults.told(error)})"
        return ""

    def _sort_in(self, kind: str, record: dict[str, Any]) -> None:
        found = self._found
        if kind == "worker":
            self._foreign = ""
            if (run_id := record.pop("run_id", self._run_id)) != self._run_id:
                self._foreign = f"it is of another run, {run_id}"
        if self._foreign:
            raise ValueError(self._foreign)
        if kind == "measurement" and self._measurements:
            self._measurement(Measurement.from_json(record))
        elif kind == "ceilings":
            sound.check_ceilings(record)
            sound.check_depth(record)
            found.ceilings.append(record)
        elif kind == "worker":
            sound.check_bench(record)
            sound.check_text(record, "version")
            sound.check_depth(record)
            found.workers.append(record)
        elif kind == "round":
            sound.check_round(record)
            found.rounds.append(record)
        elif kind == "no_ceilings":
            sound.check_text(record, "dtype", "reason")
            found.no_ceilings[sound.check_bench(record), record["dtype"]] = record["reason"]
        elif kind == "lost":
            sound.check_text(record, "probe", "reason")
            sound.check_status(record)
            found.lost[sound.check_bench(record)] = record

    def _measurement(self, measured: Measurement) -> None:
        case = measured.case
        sound.check_case(case)
        if self._planned is not None and case not in self._planned:
            raise ValueError(f"{case.id} is not of the plan")
        sound.check_measurement(measured)
        round_ = (case, measured.probe, measured.pass_index)
        if (first := self._rounds.setdefault(round_, measured)) is not measured:
            again = "said twice" if first == measured else "of a pass that another line is of"
            raise ValueError(f"it is {again}; the first counts")
        if measured.probe == "memory":
            self._found.memory[case] = measured
        else:
            self._found.latency[case].append(measured)
