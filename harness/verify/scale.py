"""How long a million rows take to load, and to be reported on, and how much memory.

And how long a report of a thousand runs of one machine takes, whose history it tells.

`harness.verify.drawn_runs` draws the rows, on several machines and in more than one run of each.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from harness import store, units
from harness.verify import bench, drawn_runs
from harness.verify.drawn_runs import MACHINES, MOVED, RUNS, STEP
from harness.verify.row import Row, judged, noted

ROWS = 1_000_000
CORES = 2
LOAD_S, LOAD_BYTES = 5.0, 2 * 2**30
REPORT_S = 60.0
HISTORY_RUNS, HISTORY_CASES = 1_000, 100
"""Runs of one machine, and cases of each."""
PAGE_BYTES = 3 * 2**20


def rows() -> Iterator[Row]:
    """Loading, then a report; then a report of many runs of one machine."""
    yield from _of_many_rows()
    yield from _of_many_runs()


def _of_many_rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        results, reports = f"{folder}/results", f"{folder}/reports"
        for _ in bench.alone(drawn_runs.__name__, "write", results, ROWS):
            pass
        ((loaded, load_s, load_bytes),) = bench.alone(__name__, "load", results, cores=CORES)
        what = f"{loaded:,} rows of {RUNS} runs each of {MACHINES} machines"
        enough = loaded >= ROWS
        yield judged(
            f"{what}, loaded by a fresh process, imports included",
            f"below {units.seconds(LOAD_S)}",
            units.seconds(load_s),
            enough and load_s < LOAD_S,
        )
        yield judged(
            "peak memory of that process",
            f"below {units.size(LOAD_BYTES)}",
            units.size(load_bytes),
            enough and load_bytes < LOAD_BYTES,
        )
        ((report_s, report_bytes),) = bench.alone(__name__, "report", results, reports, cores=CORES)
        yield judged(
            f"`layerbench report` of them on {units.count(CORES, 'core')}, from start to end",
            f"below {units.seconds(REPORT_S)}",
            units.seconds(report_s),
            report_s < REPORT_S,
        )
        yield noted("peak memory of that process", units.size(report_bytes))
        yield _written(reports)


def _of_many_runs() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        results, reports = f"{folder}/results", f"{folder}/reports"
        ((rows_there, first),) = bench.alone(
            drawn_runs.__name__, "write_history", results, HISTORY_RUNS, HISTORY_CASES
        )
        ((report_s, _),) = bench.alone(__name__, "report", results, reports, cores=CORES)
        (page,) = Path(reports).glob("*.html")
        size, text = page.stat().st_size, page.read_text(encoding="utf-8")
        yield judged(
            f"`layerbench report` of {HISTORY_RUNS:,} runs of one machine, {rows_there:,} rows, "
            f"on {units.count(CORES, 'core')}",
            f"below {units.seconds(REPORT_S)}",
            units.seconds(report_s),
            report_s < REPORT_S,
        )
        yield judged(
            "its page", f"below {units.size(PAGE_BYTES)}", units.size(size), size < PAGE_BYTES
        )
        yield judged(
            f"the run at which {MOVED} of its {HISTORY_CASES} cases moved by {STEP:g}×",
            f"found: {first}",
            "found" if f"and {first}<" in text else "not found",
            f"and {first}<" in text,
        )
        yield _written(reports)


def _written(reports: str) -> Row:
    files = sorted(Path(reports).iterdir())
    sizes = (f"{file.suffix} {units.size(file.stat().st_size)}" for file in files)
    return noted("what it wrote", ", ".join(sizes))


def load(folder: str) -> Iterator[tuple[int, float, int]]:
    """(rows, seconds, peak bytes of this process)."""
    start = time.perf_counter()
    frame = store.load(folder)
    taken_s = time.perf_counter() - start
    yield len(frame), taken_s, bench.peak_bytes()


def report(results: str, reports: str) -> Iterator[tuple[float, int]]:
    """(seconds, peak bytes) of the command in a process of its own."""
    command = [sys.executable, "-m", "harness", "report", results, "--out", reports]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    taken_s = time.perf_counter() - start
    yield taken_s, bench.peak_bytes(of_children=True)
