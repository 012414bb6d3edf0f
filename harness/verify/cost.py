"""What the harness costs: rows a minute beside other tools, and what it takes for itself."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from harness import runner, store, units
from harness.runner import measure
from harness.runner.sampling import Effort
from harness.store.journal import JOURNAL_FILE
from harness.store.lines import encoded
from harness.types import Case, Measurement, Status
from harness.verify import agreement, bench, other_tools
from harness.verify.ledger import ledger
from harness.verify.row import Row, judged, noted, skipped

SHARE = 0.6
PARENT_CPU = 0.01
PARENT_CASE = "lstm/torch/cpu/train/eager/float32/b32-s64-input_size=32-hidden_size=64"
PARENT_S = 5.0
ROWS = 100_000
SAMPLES = 30
"""A case and pass."""
QUICK = runner.Request("quick")


def rows() -> Iterator[Row]:
    """Beside other tools; where a sweep's time goes; the parent's processor and memory."""
    if not bench.installed(["torch"]):
        yield skipped("cost", "", "torch is not installed")
        return
    yield from other_tools.rows([case.id for case in agreement.cases("torch")])
    yield _parent_cpu()
    yield from _of_sweep(QUICK)
    yield from _parent_memory()


def _parent_cpu() -> Row:
    """Of this process, which waits while its worker measures."""
    effort = Effort(rel_ci=1e-4, sample_s=PARENT_S, timeout_s=60.0)
    with bench.worker("torch") as (ask, greeting):
        process = psutil.Process()
        before, start = process.cpu_times(), time.perf_counter()
        measure.latency(ask, Case.parse(PARENT_CASE), 0, effort, greeting["clock_resolution_s"])
        after, taken_s = process.cpu_times(), time.perf_counter() - start
    share = (after.user + after.system - before.user - before.system) / taken_s
    check = "the parent's share of a CPU while a worker measures"
    return judged(check, f"below {PARENT_CPU:.0%}", f"{share:.2%}", share < PARENT_CPU)


def _of_sweep(request: runner.Request) -> Iterator[Row]:
    """Where the wall time of a sweep goes."""
    plan = runner.make_plan(request)
    with tempfile.TemporaryDirectory() as folder, ledger() as spent:
        run = runner.begin(plan, Path(folder), "make verify-cost")
        start = time.perf_counter()
        runner.execute(run, plan.layers, lambda event: None)
        wall_s = time.perf_counter() - start
    share = spent.pop("timed") / wall_s
    check = f"share of {plan.sweep.name} inside timed calls"
    text = f"{share:.1%} of {units.seconds(wall_s)}"
    yield judged(check, f"at least {SHARE:.0%}", text, share >= SHARE)
    spent["the parent"] = wall_s - sum(spent.values())
    shares = (
        f"{what} {spent[what] / wall_s:.0%}" for what in sorted(spent, key=spent.__getitem__)[::-1]
    )
    yield noted(f"where the time of {plan.sweep.name} goes, by request", ", ".join(shares))


def _parent_memory(count: int = ROWS) -> Iterator[Row]:
    """Of a process that does what the parent does when all is measured."""
    with tempfile.TemporaryDirectory() as folder:
        write_journal(Path(folder), count)
        ((loaded, peak, taken_s),) = bench.alone(__name__, "finish", folder)
    text = f"{units.size(peak)}, {loaded:,} rows in {units.seconds(taken_s)}"
    check = f"the parent's peak memory, {count:,} rows of {SAMPLES} samples to Parquet and pandas"
    yield noted(check, text)


def write_journal(folder: Path, count: int) -> None:
    """A run of so many cases, each measured once."""
    sample = tuple(1e-3 * (1 + index / 1000) for index in range(SAMPLES))
    cases = [
        Case("scale", "fake", "cpu", "forward", "eager", "float32", 1, batch, None, (("us", 20),))
        for batch in range(1, count + 1)
    ]
    request = runner.Request(cases=[PARENT_CASE])
    begun = runner.begin(runner.make_plan(request), folder, "make verify-cost")
    run = store.RunRecord(**{**vars(begun), "cases": tuple(cases), "families": {"scale": "fake"}})
    run.save()
    with (run.folder / JOURNAL_FILE).open("wb") as journal:
        for case in cases:
            found = Measurement(
                *(case, "latency", 0, Status.OK, "2026-01-01T00:00:00+00:00"),
                samples_s=sample, calls_per_block=1, flops=1, bytes=1,
            )  # fmt: skip
            journal.write(encoded("measurement", found.to_json()))


def finish(folder: str) -> Iterator[tuple[int, int, float]]:
    """(rows, peak bytes, seconds), in a process of its own; see `bench.alone`."""
    start = time.perf_counter()
    store.collect(folder)
    frame = store.load(folder)
    taken_s = time.perf_counter() - start
    yield len(frame), bench.peak_bytes(), taken_s
