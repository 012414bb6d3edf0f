"""A/A: do intervals of a few passes contain what the other passes of the same run read?

Nothing differs between the passes of a run but the process, its place in memory and the moment,
so the interval of a row from any three of them should contain the median of the rest. Runs are
made here, one on the machine as it is and one beside a program that keeps it busy in bursts;
`agreeing` takes any results with enough passes.
"""

from __future__ import annotations

import contextlib
import itertools
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness import runner, stats, store
from harness.stats import Interval
from harness.types import UsageError
from harness.verify import bench
from harness.verify.row import Row, judged, skipped

PASSES = 9
TAKEN = 3
WANTED = 0.9
REQUEST = runner.Request(
    layers=("dense", "conv2d", "lstm", "attention_projected"),
    axes={"framework": ["torch"], "execution": ["eager"], "batch": [8], "seq": [32]},
    passes=PASSES,
    sample_s=0.1,
)
_BURSTS = """
import random, time
data = bytearray(2**26)
while True:
    end = time.monotonic() + random.expovariate(5)
    while time.monotonic() < end:
        data[:] = bytes(2**26)
    time.sleep(random.expovariate(5))
"""
"""Computes and moves memory for 0.2 s, then rests as long, on average."""


def rows() -> Iterator[Row]:
    """Quiet, that is as quiet as the machine is, and disturbed."""
    check = f"intervals of {TAKEN} of {PASSES} passes contain the others' median"
    if not bench.installed(["torch"]):
        yield skipped(check, f"at least {WANTED:.0%}", "torch is not installed")
        return
    yield _row(f"{check}, quiet", _measured())
    with _busy():
        yield _row(f"{check}, disturbed", _measured())


def _row(check: str, found: Sequence[tuple[int, int]]) -> Row:
    hits, trials = map(sum, zip(*found, strict=True))
    text = f"{hits / trials:.1%} of {trials} over {len(found)} cases"
    return judged(check, f"at least {WANTED:.0%}", text, hits / trials >= WANTED)


def _measured() -> list[tuple[int, int]]:
    plan = runner.make_plan(REQUEST)
    with tempfile.TemporaryDirectory() as folder:
        run = runner.begin(plan, Path(folder), "make verify")
        runner.execute(run, plan.layers, lambda event: None)
        return agreeing(Path(folder))


@contextlib.contextmanager
def _busy() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", _BURSTS])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def agreeing(results: Path) -> list[tuple[int, int]]:
    """By case, (how many intervals contain the median of the passes left out, of how many).

    Args:
        results: a folder with runs of at least `TAKEN` + 3 passes.

    Raises:
        UsageError: no case there has so many passes.
    """
    samples = store.load_samples(results)
    found = []
    for _, of_case in samples.groupby(["run_id", "case_id"]):
        walls = [taken.to_list() for _, taken in of_case.groupby("pass_index")["wall_s"]]
        if len(walls) >= TAKEN + 3:
            found.append(_contained([stats.series_interval(taken) for taken in walls]))
    if not found:
        raise UsageError(f"{results} has no case with {TAKEN + 3} passes: run with --passes 9")
    return found


def _contained(passes: Sequence[Interval]) -> tuple[int, int]:
    """Over every choice of `TAKEN` passes."""
    hits = trials = 0
    for taken in itertools.combinations(range(len(passes)), TAKEN):
        rest = [one.value for index, one in enumerate(passes) if index not in taken]
        interval = stats.pass_interval([passes[index] for index in taken])
        hits += not interval.excludes(statistics.median(rest))
        trials += 1
    return hits, trials
