"""A sweep killed at random points: what it has told of is there, and it goes on to the same end."""

from __future__ import annotations

import os
import random
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness import reaper, store
from harness.store.journal import REFERENCE_FOLDER, RUN_FILE, read_journal
from harness.types import Status
from harness.verify.bench import ROOT
from harness.verify.row import Row, judged, noted

SUITE = str(Path(__file__).with_name("kill_suite.py"))
ORPHANS_S = 5.0
"""After which nothing of a killed run may be alive."""
SWEEP = (
    *("run", "--suite", SUITE, "--framework", "fake"),
    *("--layer", "steady,crashing,leaving", "--batch", "1,2", "--mode", "forward,train"),
    *("--execution", "eager", "--passes", "2", "--sample-time", "50ms"),
)
_TOLD = re.compile(r"^\d+/\d+  (\S+)  .*\n", re.MULTILINE)
"""The line that a run tells of a case: how many so far, its id, and what came of it."""
VARYING = ["run_id", "started_at"]
"""Columns in which two runs of the same differ."""


@dataclass(frozen=True)
class Killed:
    """What came of one kill.

    Attributes:
        records: lines that the journal had then.
        lost: cases that the run had told of and `harness.store.load` does not have.
        orphans: processes that were alive `ORPHANS_S` later.
        left: temporary files after the run was resumed.
        same: whether it came to the end of a run that nobody killed.
    """

    records: int
    lost: int
    orphans: int
    left: int
    same: bool


def rows(points: int) -> Iterator[Row]:
    """As many kills, each of a run of its own, at a time at random between its plan and its end."""
    draw = random.Random(1)
    with tempfile.TemporaryDirectory() as parent:
        whole, lasting_s = _whole(Path(parent) / "whole")
        yield from of_cases(store.load(whole))
        kills: list[Killed] = []
        while len(kills) < points:
            at_s = draw.uniform(0, lasting_s)
            if killed := _killed(Path(parent) / str(len(kills)), at_s, whole):
                kills.append(killed)
    of = f"of {points} kills"
    for check, count in {
        "cases that a killed run had told of, and that are not there": sum(k.lost for k in kills),
        f"processes alive {ORPHANS_S:g} s after a kill": sum(k.orphans for k in kills),
        "temporary files left once it was resumed": sum(k.left for k in kills),
        "resumed runs that differ from one nobody killed": sum(not k.same for k in kills),
    }.items():
        yield judged(check, f"0, {of}", str(count), not count)
    seen = sorted(Counter(killed.records for killed in kills).items())
    yield noted(
        "journal lines at the kill (and how often)",
        ", ".join(f"{records} ({count})" for records, count in seen),
    )


def of_cases(frame: pd.DataFrame) -> Iterator[Row]:
    """Whether cases of the suite ended as their layers are made to: others would prove little."""
    ends = {"steady": Status.OK, "leaving": Status.OK, "crashing": Status.CRASHED}
    for layer, status in ends.items():
        found = frame[frame["layer"] == layer]["status"]
        alike = int((found == status).sum())
        check = f"cases of the fake layer `{layer}` that are `{status}`"
        yield judged(check, f"{len(found):,}", f"{alike:,}", alike == len(found) > 0)


def _whole(results: Path) -> tuple[Path, float]:
    """A run that nobody kills: its folder, and its seconds from the plan to the end."""
    run = Run(*SWEEP, "--results", str(results))
    folder = run.planned(results)
    assert folder is not None
    start = time.monotonic()
    run.process.communicate()
    return folder, time.monotonic() - start


def _killed(results: Path, at_s: float, whole: Path) -> Killed | None:
    """A run that is killed so long after its plan was written; None if it had ended by then."""
    run = Run(*SWEEP, "--results", str(results))
    folder = run.planned(results)
    time.sleep(at_s)
    run.process.kill()
    told = run.told()
    if folder is None or run.process.returncode != -signal.SIGKILL:
        return None
    orphans = still_alive(run.mark)
    lost = missing(told, folder)
    records = sum(1 for _ in read_journal(folder))
    Run("run", "--resume", str(folder), "--suite", SUITE).process.communicate()
    return Killed(records, len(lost), len(orphans), len(leftovers(folder)), same(folder, whole))


class Run:
    """The command, and whatever it starts, with a mark to find them by."""

    def __init__(self, *typed: str, program: Sequence[str] = ("-m", "harness")) -> None:
        """Starts it.

        Args:
            typed: its arguments.
            program: what Python is to run.
        """
        self.mark = secrets.token_hex(8)
        environment = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", reaper.MARK: self.mark}
        self.process = subprocess.Popen(
            [sys.executable, *program, *typed],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **environment},
        )

    def planned(self, results: Path) -> Path | None:
        """The run's folder as soon as there is one; None if the process ends before."""
        while self.process.poll() is None:
            if found := list(results.rglob(RUN_FILE)):
                return found[0].parent
            time.sleep(0.002)
        return None

    def told(self) -> list[str]:
        """Ids of the cases that it has told of, once it has ended."""
        said, _ = self.process.communicate()
        return _TOLD.findall(said)


def missing(told: Iterable[str], folder: Path) -> list[str]:
    """Cases that `harness.store.load` has nothing of."""
    status = store.load(folder).set_index("case_id")["status"]
    return [case for case in told if status[case] == Status.INTERRUPTED]


def still_alive(mark: str, within_s: float = ORPHANS_S) -> list[int]:
    """Ids of the processes with that mark; waits as long for them to end."""
    end = time.monotonic() + within_s
    while (alive := reaper.marked(mark)) and time.monotonic() < end:
        time.sleep(0.05)
    return [process.pid for process in alive]


def leftovers(folder: Path) -> list[Path]:
    """What is of use only while a run lasts, or a file while it is written."""
    return [*folder.rglob(".*"), *folder.rglob(REFERENCE_FOLDER)]


def same(one: Path, other: Path) -> bool:
    """Whether two runs have the same rows and samples, measured in the same order."""
    for read in (store.load, store.load_samples):
        first, second = (read(run).drop(columns=VARYING, errors="ignore") for run in (one, other))
        if not first.equals(second):
            return False
    return order(one) == order(other)


def order(folder: Path) -> list[tuple[str, int, str]]:
    """Probe, pass and case of each measurement, in the order taken."""
    return [
        (record["probe"], record["pass_index"], str(record["case"]))
        for _, record in read_journal(folder)
        if isinstance(record, dict) and record["kind"] == "measurement"
    ]
