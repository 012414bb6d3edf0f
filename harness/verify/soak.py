"""One long run, of many fake cases and hours of real ones: its own process stays as it was.

Its terminal is a pseudo-terminal, so that what is drawn there is drawn all the time. Among the fake
layers are one that crashes and one that leaves processes behind.
"""

from __future__ import annotations

import os
import pty
import re
import secrets
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

import psutil

from harness import reaper, runner, store, units
from harness.store.journal import read_journal
from harness.types import Status
from harness.verify.bench import ROOT, installed
from harness.verify.kills import leftovers, of_cases, still_alive
from harness.verify.row import Row, judged, noted

SUITE = Path(__file__).with_name("kill_suite.py")
FAKE = {"steady": 19_950, "crashing": 40, "leaving": 10}
"""Cases by layer: so many batch sizes."""
REAL = ("dense", "conv2d", "lstm", "gru", "batch_norm", "dropout", "attention")
PASSES = 3
REL_CI = 1e-9
"""Out of reach, so that each case is sampled as long as it may be."""
CALL_US = 2_000_000
"""Of a fake call by its own clock, so that few of them fill the sampling time."""
LOOK_S = 10.0
"""Between two looks at the run's process."""
GROWTH_BYTES = 4 * 2**20
"""That the run's own process may grow by in the second half of its time."""
FAILED = 3
_DONE = re.compile(rb"(\d+)/(\d+)  \d+:\d\d left")
_OVERLAP = 100
"""Bytes that are looked at again, as what is looked for may have come in two parts."""


@dataclass(frozen=True)
class Look:
    """What the run's process held.

    Attributes:
        at_s: since its start.
        rss_bytes: resident memory.
        descriptors: open files and pipes.
        processes: that it has started, or they, and that are alive.
    """

    at_s: float
    rss_bytes: int
    descriptors: int
    processes: int


def rows(hours: float) -> Iterator[Row]:
    """A run that samples real layers for so many hours, whatever else it does."""
    with tempfile.TemporaryDirectory() as parent:
        results, sweep = Path(parent) / "results", Path(parent) / "soak.toml"
        sweep.write_text(_sweep(), encoding="utf-8")
        sample_s = hours * 3600 / PASSES / _real_cases(sweep)
        mark = secrets.token_hex(8)
        looks, shown, status = _run(sweep, results, sample_s, mark)
        orphans = len(still_alive(mark))
        (run,) = [path.parent for path in results.rglob("run.json")]
        yield judged("exit status", f"{FAILED}, as cases failed", str(status), status == FAILED)
        yield from _of_cases(run)
        yield from _of_time(run, hours)
        yield from _of_progress(shown)
        yield from _of_process(looks)
        yield judged("processes alive after the end", "0", str(orphans), not orphans)
        left = len(leftovers(run))
        yield judged("temporary files after the end", "0", str(left), not left)


def _sweep() -> str:
    axes = "\n".join(
        f'[layer_axes.{layer}]\nframework = ["fake"]\nmode = ["forward"]\nexecution = ["eager"]\n'
        f"batch = {list(range(1, cases + 1))}"
        for layer, cases in FAKE.items()
    )
    return f"""
layers = {[*REAL, *FAKE]}
framework = {installed()}
device = ["cpu"]
mode = ["forward", "train"]
execution = ["eager"]
dtype = ["float32"]
threads = [1]
batch = [1, 32]
seq = [16, 64]
passes = {PASSES}
rel_ci = {REL_CI}
sample_s = 1
timeout_s = 120
[framework_axes.tensorflow]
execution = ["compiled"]
[params]
call_us = [{CALL_US}]
{axes}
"""


def _real_cases(sweep: Path) -> int:
    """Those that take time."""
    plan = runner.make_plan(runner.Request(sweep=str(sweep), suites=[str(SUITE)]))
    return sum(case.framework != "fake" for case in plan.measurable)


def _run(
    sweep: Path, results: Path, sample_s: float, mark: str
) -> tuple[Sequence[Look], tuple[int, int], int]:
    """Looks at the process until it ends; the progress that it showed last; its exit status."""
    terminal, its_end = pty.openpty()
    environment = {"PYTHONPATH": str(ROOT), reaper.MARK: mark, "TERM": "xterm", "COLUMNS": "160"}
    typed = ("run", str(sweep), "--suite", str(SUITE), "--results", str(results))
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *typed, "--sample-time", f"{sample_s:.3f}s"],
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        env={**os.environ, **environment},
    )
    os.close(its_end)
    watched = psutil.Process(process.pid)
    looks: list[Look] = []
    said, shown = b"", (0, 0)
    while process.poll() is None:
        now_s = time.monotonic() - start
        if not looks or now_s - looks[-1].at_s >= LOOK_S:
            looks += _look(watched, now_s)
        if select.select([terminal], [], [], 0.5)[0]:
            said = said[-_OVERLAP:] + _read(terminal)
            for done, total in _DONE.findall(said):
                shown = int(done), int(total)
    os.close(terminal)
    return looks, shown, process.returncode


def _look(process: psutil.Process, at_s: float) -> Iterator[Look]:
    """One, unless the process has just ended."""
    try:
        with process.oneshot():
            rss = process.memory_info().rss
            yield Look(at_s, rss, process.num_fds(), len(process.children(recursive=True)))
    except psutil.Error:
        return


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed
        return b""


def _of_cases(run: Path) -> Iterator[Row]:
    frame = store.load(run)
    yield from of_cases(frame)
    real = frame[frame["framework"] != "fake"]
    told = Counter(str(status) for status in real["status"])
    known = {Status.OK, Status.NOT_APPLICABLE}
    yield judged(
        f"status of the {units.count(len(real), 'real case')}",
        " or ".join(sorted(known)),
        ", ".join(f"{status} {count}" for status, count in told.most_common()),
        set(told) <= known,
    )


def _of_time(run: Path, hours: float) -> Iterator[Row]:
    spent_s = _spent_s(run)
    for name, seconds in spent_s.items():
        yield noted(f"time on cases of {name}", f"{seconds / 3600:.2f} h")
    real_s = sum(spent_s.values()) - spent_s["fake"]
    check = f"time on real cases, in {PASSES} passes and a round for memory"
    yield judged(check, f"at least {hours:g} h", f"{real_s / 3600:.2f} h", real_s >= hours * 3600)


def _spent_s(run: Path) -> dict[str, float]:
    """From each measurement to the next one, by framework."""
    measured = [
        (str(record["case"]["framework"]), datetime.fromisoformat(record["started_at"]))
        for _, record in read_journal(run)
        if isinstance(record, dict) and record["kind"] == "measurement"
    ]
    spent_s: dict[str, float] = defaultdict(float)
    for (framework, at), (_, then) in pairwise(measured):
        spent_s[framework] += (then - at).total_seconds()
    return spent_s


def _of_progress(shown: tuple[int, int]) -> Iterator[Row]:
    """What stood last on the terminal while it measured."""
    done, total = shown
    good = done == total > sum(FAKE.values()) - FAKE["crashing"]
    expected = f"all, {FAKE['steady'] + FAKE['leaving']:,} fake ones among them"
    yield judged("progress that was shown last", expected, f"{done:,} of {total:,}", good)


def _of_process(looks: Sequence[Look]) -> Iterator[Row]:
    """The first pass gets to know the cases; in the second half nothing may grow."""
    eighth = len(looks) // 8
    first, last = looks[4 * eighth :][:eighth], looks[-eighth:]
    bytes_before, bytes_after = (median(look.rss_bytes for look in part) for part in (first, last))
    yield judged(
        "growth of the run's own process in the second half, from eighth to eighth of the time",
        f"below {units.size(GROWTH_BYTES)}",
        f"{units.size(abs(bytes_after - bytes_before))}"
        f" ({units.size(bytes_before)} to {units.size(bytes_after)})",
        bytes_after - bytes_before < GROWTH_BYTES,
    )
    for what, of in {"open files and pipes": "descriptors", "processes": "processes"}.items():
        before, after = (max(getattr(look, of) for look in part) for part in (first, last))
        yield judged(
            f"{what}, at most, then and at the end",
            "no more",
            f"{before} and {after}",
            after <= before,
        )
