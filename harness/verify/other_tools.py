"""Rows a minute beside other tools, at equal precision.

Tools stop by rules of their own and end with intervals of different widths, so what each took is
brought to the same width, of the same statistic, before it is compared: the samples that it took
are stopped by our rule, and where they do not suffice, more are reckoned, as a width falls with the
root of their number. What is spent beside samples stays. Ours includes the check against the
reference, warming up until two windows agree, and the audit's pairs, which the others do not do,
and is told without them too; starting processes is left out of all three.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from harness import frameworks, stats, units
from harness.devices import cpu
from harness.runner import measure, sampling
from harness.runner.sampling import Effort
from harness.stats import Interval
from harness.types import Case
from harness.verify import bench
from harness.verify.ledger import ledger
from harness.verify.row import Row, Verdict, noted

WIDTH = 0.01
ROUNDS = 3
"""Each tool in turn, so that what disturbs the machine for a while disturbs them all."""
EFFORT = Effort(rel_ci=WIDTH, sample_s=0.3, timeout_s=60.0)
MARGIN = 0.05
"""Within it, two tools are as fast."""


class Spent(NamedTuple):
    """What a tool took to measure a case.

    Attributes:
        taken_s: from the case's name to its samples.
        sampling_s: the part of it that was inside them.
        blocks: the samples, as blocks of at least `measure.BLOCK_S`; seconds a call.
        extras_s: the part of `taken_s` that went into what the others do not do.
    """

    taken_s: float
    sampling_s: float
    blocks: Sequence[float]
    extras_s: float = 0.0

    @property
    def width(self) -> float:
        """Half that of the median's interval, relative."""
        return stats.series_interval(self.blocks).relative_half_width

    def at_width(self, extras: bool = True) -> float:
        """Seconds for an interval of `WIDTH`, with or without the extras."""
        beside_s = self.taken_s - self.sampling_s - (0.0 if extras else self.extras_s)
        return beside_s + self.sampling_s * needed(self.blocks) / len(self.blocks)


def needed(blocks: Sequence[float]) -> float:
    """How many blocks our stopping rule takes of these, or would take of more like them."""
    for count in sampling.looks():
        if count > len(blocks):
            break
        if stats.series_interval(blocks[:count]).relative_half_width <= WIDTH:
            return count
    width = stats.series_interval(blocks).relative_half_width
    return max(stats.ENOUGH_SAMPLES, len(blocks) * (width / WIDTH) ** 2)


def rows_a_minute(spent: Sequence[Spent], extras: bool = True) -> float:
    """At equal width; the geometric mean over rows, as a noisy one would outweigh the others."""
    return 60 / stats.geometric_mean(one.at_width(extras) for one in spent)


def rows(ids: Sequence[str]) -> Iterator[Row]:
    ours: list[Spent] = []
    timer: list[Spent] = []
    pytest_benchmark: list[Spent] = []
    environment = frameworks.get("torch").environment(1, "latency")
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            ours += _ours(ids, Path(folder))
            found = bench.alone(__name__, "by_torch_timer", list(ids), environment=environment)
            timer += [_spent(*one) for one in found]
            pytest_benchmark += _by_pytest_benchmark(ids)
    what = f"rows a minute at ±{WIDTH:.0%}"
    yield noted(f"{what}, layerbench", _told(ours, extras=True))
    yield noted(f"{what}, layerbench without check, warm-up and audit", _told(ours, extras=False))
    others = {
        "torch.utils.benchmark, blocked_autorange": timer,
        "pytest-benchmark": pytest_benchmark,
    }
    for tool, spent in others.items():
        ratio = faster(ours, spent)
        text = f"{_told(spent)}; {ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f}) times ours"
        expected = "not above ours without those"
        yield Row(f"{what}, {tool}", expected, text, verdict_on(ratio))


def verdict_on(ratio: Interval) -> Verdict:
    """On how many times as fast another tool is."""
    if ratio.value <= 1 + MARGIN:
        return Verdict.OK
    return Verdict.FAILS if ratio.low > 1 else Verdict.UNCLEAR


def faster(ours: Sequence[Spent], others: Sequence[Spent]) -> Interval:
    """How many times as fast the others are, like for like, over the same cases in turn."""
    pairs = zip(ours, others, strict=True)
    return stats.median_interval(
        [mine.at_width(extras=False) / other.at_width() for mine, other in pairs]
    )


def _told(spent: Sequence[Spent], extras: bool = True) -> str:
    widths = sorted(one.width for one in spent)
    taken_s = sum(one.taken_s for one in spent) / len(spent)
    rate = rows_a_minute(spent, extras)
    return f"{rate:.0f} ({units.seconds(taken_s)} a row at ±{widths[len(widths) // 2]:.1%})"


def _ours(ids: Sequence[str], folder: Path) -> list[Spent]:
    """As in a pass of a run, whose reference results are kept in a folder for the next pass."""
    found = []
    with ledger() as spent, bench.worker("torch", folder=folder) as (ask, greeting):
        for text in ids:
            spent.clear()
            start = time.perf_counter()
            taken = measure.latency(
                ask, Case.parse(text), 0, EFFORT, greeting["clock_resolution_s"]
            )
            taken_s = time.perf_counter() - start
            sampling_s = sum(taken.samples_s) * taken.calls_per_block
            extras_s = spent["check"] + spent["pairs"] + spent["run"] - sampling_s
            found.append(Spent(taken_s, sampling_s, taken.samples_s, extras_s))
    return found


def _spent(taken_s: float, samples: Sequence[float], calls: int) -> Spent:
    """Of a tool whose samples are seconds a call, each of so many calls."""
    return Spent(taken_s, sum(samples) * calls, in_blocks(samples, calls))


def in_blocks(samples: Sequence[float], calls: int) -> list[float]:
    """Means of as many neighbours as last `measure.BLOCK_S`, as a block of ours does.

    A median of single calls has a narrower interval, as it leaves out what strikes a call in ten:
    it answers another question.
    """
    blocks: list[float] = []
    gathered: list[float] = []
    for sample in samples:
        gathered.append(sample)
        if sum(gathered) * calls >= measure.BLOCK_S:
            blocks.append(sum(gathered) / len(gathered))
            gathered.clear()
    return blocks or list(samples)


def by_torch_timer(ids: Sequence[str]) -> Iterator[tuple[float, list[float], int]]:
    """(seconds, samples, calls of each), in a process of its own; see `bench.alone`."""
    from torch.utils.benchmark import Timer

    torch = frameworks.get("torch")
    torch.start("cpu", 1)
    for text in ids:
        start = time.perf_counter()
        timer = Timer("call()", globals={"call": bench.opened(torch, text)}, num_threads=1)
        found = timer.blocked_autorange()
        yield time.perf_counter() - start, found.times, found.number_per_run


_TESTS = """
import os, time
import pytest
from harness import frameworks
from harness.verify import bench

TORCH = frameworks.get("torch")

@pytest.fixture(scope="module", autouse=True)
def started():
    if {cores!r}:
        os.sched_setaffinity(0, {cores!r})
    TORCH.start("cpu", 1)

@pytest.mark.parametrize("case", {ids!r})
def test_case(benchmark, case):
    start = time.perf_counter()
    benchmark(bench.opened(TORCH, case))
    benchmark.extra_info["taken_s"] = time.perf_counter() - start
"""


def pytest_benchmark(
    ids: Sequence[str], folder: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    """A session of pytest in `folder`, with a test a case, at pytest-benchmark's defaults."""
    tests = folder / "test_cases.py"
    tests.write_text(_TESTS.format(ids=list(ids), cores=cpu.cores(1)), encoding="utf-8")
    quietly = ("-q", "-p", "no:cacheprovider", "--timeout=0")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *quietly, *options, str(tests)],
        check=False,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(bench.ROOT)},
    )


def _by_pytest_benchmark(ids: Sequence[str]) -> list[Spent]:
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder) / "answers.json"
        pytest_benchmark(ids, Path(folder), f"--benchmark-json={answers}").check_returncode()
        found = json.loads(answers.read_text(encoding="utf-8"))["benchmarks"]
    return [
        _spent(one["extra_info"]["taken_s"], one["stats"]["data"], one["stats"]["iterations"])
        for one in found
    ]
