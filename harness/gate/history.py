"""Histories: what many stored runs of one machine tell of each case, in the order of the runs.

Frames in, plain data out. Machines are never mixed: that one is slower than another is no change.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.gate import changes
from harness.gate.changes import THRESHOLD, Change
from harness.gate.divisions import FEWEST
from harness.stats import Interval
from harness.types import Status

if TYPE_CHECKING:
    import pandas as pd

Run: TypeAlias = Mapping[str, Any]
"""What a ``run.json`` holds."""
_Rows: TypeAlias = dict[tuple[str, str], Mapping[str, Any]]
"""By case and run."""

_LATENCY = ("latency_s", "latency_low_s", "latency_high_s")

_NEEDED = ("machine_id", "case_id", "run_id", "status", "reason", *_LATENCY)

MOST_RUNS = 100
"""Runs that a history goes back, at most. A case with a change costs permutations of all of them,
each of a time that grows with the square of their number."""

SLOWER, NOTHING = 1, 4
"""Exit statuses; 0 if nothing is slower."""


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """One case on one machine.

    Attributes:
        case: its id.
        runs: the ids of the runs with a latency of it, in the order in which they started.
        latencies: of each of them, in seconds.
        changes: with indices into both.
        visible: the smallest slowdown that would most likely be found half-way, 0.05 for 5 %;
            None if there are too few runs to find any.
        failed: status and reason in the machine's last run, if it was tried there and has no
            latency.
    """

    case: str
    runs: tuple[str, ...]
    latencies: tuple[Interval, ...]
    changes: tuple[Change, ...]
    visible: float | None
    failed: str = ""

    @property
    def testable(self) -> bool:
        """Whether a change could have been found."""
        return self.visible is not None

    @property
    def slower(self) -> list[Change]:
        """The slowdowns that the last runs still show."""
        return [change for change in self.changes if change.slower and change.recovered is None]


@dataclass(frozen=True, slots=True)
class History:
    """The stored runs of one machine.

    Attributes:
        machine_id: of all of them.
        runs: in the order in which they started.
        cases: in the order in which they first appear.
        threshold: the smallest relative change that counts.
        earlier: how many runs before these are left out.
    """

    machine_id: str
    runs: tuple[Run, ...]
    cases: tuple[CaseHistory, ...]
    threshold: float
    earlier: int

    @property
    def testable(self) -> list[CaseHistory]:
        """The cases in which a change could have been found."""
        return [case for case in self.cases if case.testable]

    @property
    def asked(self) -> int:
        """Cases with runs enough to ask, for whose number each test is corrected."""
        return sum(len(case.runs) >= FEWEST for case in self.cases)

    @property
    def needed_runs(self) -> int:
        """With fewer no change of a case could be told from chance, however large."""
        return changes.needed_runs(self.asked)

    def run(self, run_id: str) -> Run:
        """The one of that id."""
        return next(run for run in self.runs if str(run["run_id"]) == run_id)


def histories(
    frame: pd.DataFrame, runs: Iterable[Run], threshold: float = THRESHOLD
) -> list[History]:
    """One history a machine, of its last `MOST_RUNS` runs, in the order of the machines' first.

    Args:
        frame: what `harness.store.load` returns.
        runs: what `harness.store.load_runs` returns; rows of other runs are left out, as their
            time and commit are not known.
        threshold: the smallest relative change that counts: 0.05 for 5 %.
    """
    machines: dict[str, dict[str, Run]] = {}
    known = [run for run in runs if run.get("machine") and run.get("run_id")]
    for run in sorted(known, key=lambda run: (str(run.get("started_at")), str(run["run_id"]))):
        machine = str(run["machine"].get("machine_id", ""))
        machines.setdefault(machine, {})[str(run["run_id"])] = run
    kept = {machine: dict(list(of.items())[-MOST_RUNS:]) for machine, of in machines.items()}
    rows: dict[str, _Rows] = {}
    for row in _needed(frame, kept).to_dict("records"):
        of_machine = rows.setdefault(str(row["machine_id"]), {})
        of_machine[str(row["case_id"]), str(row["run_id"])] = {str(k): v for k, v in row.items()}
    return [
        _history(
            machine, kept[machine], rows.get(machine, {}), threshold, len(of) - len(kept[machine])
        )
        for machine, of in machines.items()
    ]


def _needed(frame: pd.DataFrame, kept: Mapping[str, Mapping[str, Run]]) -> pd.DataFrame:
    """What is read of the rows of these runs."""
    if frame.empty:
        return frame
    runs = {run for of_machine in kept.values() for run in of_machine}
    return frame.loc[frame["run_id"].isin(runs), list(_NEEDED)]


def exit_status(found: Sequence[History]) -> int:
    """1 if a slowdown is still there at the end, 4 if no change could have been found, else 0."""
    if not any(history.testable for history in found):
        return NOTHING
    return SLOWER if any(case.slower for history in found for case in history.cases) else 0


def _history(
    machine: str, runs: dict[str, Run], rows: _Rows, threshold: float, earlier: int
) -> History:
    cases = list(dict.fromkeys(case for case, _ in rows))
    measured = {
        case: {
            run: latency
            for run in runs
            if (row := rows.get((case, run))) and (latency := _latency(row))
        }
        for case in cases
    }
    series = [list(measured[case].values()) for case in cases]
    asked = sum(len(one) >= FEWEST for one in series)
    found = changes.find(series, threshold)
    last = list(runs)[-1]
    return History(
        machine_id=machine,
        runs=tuple(runs.values()),
        cases=tuple(
            CaseHistory(
                case=case,
                runs=tuple(measured[case]),
                latencies=tuple(latencies),
                changes=tuple(own),
                visible=changes.visible(latencies, own, asked, threshold),
                failed=_failure(rows.get((case, last))),
            )
            for case, latencies, own in zip(cases, series, found, strict=True)
        ),
        threshold=threshold,
        earlier=earlier,
    )


def _latency(row: Mapping[str, Any]) -> Interval | None:
    limits = [row[name] for name in _LATENCY]
    good = row["status"] == Status.OK and all(math.isfinite(s) and s > 0 for s in limits)
    return Interval(*map(float, limits)) if good else None


def _failure(row: Mapping[str, Any] | None) -> str:
    if row is None or not Status(row["status"]).failed:
        return ""
    return f"{row['status']}: {row['reason']}" if row["reason"] else str(row["status"])
