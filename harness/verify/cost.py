"""What the harness costs: rows a minute beside other tools, and what it takes for itself.

Tools stop by rules of their own and end with intervals of different widths, so what each took is
brought to the same width, of the same statistic, before it is compared: the samples that it took
are stopped by our rule, and where they do not suffice, more are reckoned, as a width falls with the
root of their number. What is spent beside samples stays. Ours includes the check against the
reference, warming up until two windows agree, and the audit's pairs, which the others do not do,
and is told without them too; starting processes is left out of all three.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import psutil

from harness import catalogue, frameworks, runner, stats, store, units
from harness.devices import cpu
from harness.problem import Problem
from harness.runner import measure
from harness.runner.measure import Effort
from harness.runner.process import WorkerProcess
from harness.stats import Interval
from harness.types import Case, Measurement, Status
from harness.verify import agreement, bench
from harness.verify.row import Row, Verdict, judged, noted, skipped

WIDTH = 0.01
ROUNDS = 3
"""Each tool in turn, so that what disturbs the machine for a while disturbs them all."""
EFFORT = Effort(rel_ci=WIDTH, sample_s=0.3, timeout_s=60.0)
MARGIN = 0.05
"""Within it, two tools are as fast."""
SHARE = 0.6
PARENT_CPU = 0.01
PARENT_CASE = "lstm/torch/cpu/train/eager/float32/b32-s64-input_size=32-hidden_size=64"
PARENT_S = 5.0
ROWS = 100_000
SAMPLES = 30
"""A case and pass."""
QUICK = runner.Request("quick")


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
    for count in measure.looks():
        if count > len(blocks):
            break
        if stats.series_interval(blocks[:count]).relative_half_width <= WIDTH:
            return count
    width = stats.series_interval(blocks).relative_half_width
    return max(measure.ENOUGH_SAMPLES, len(blocks) * (width / WIDTH) ** 2)


def rows() -> Iterator[Row]:
    """Beside other tools; where a sweep's time goes; the parent's processor and memory."""
    if not bench.installed(["torch"]):
        yield skipped("cost", "", "torch is not installed")
        return
    yield from _beside_others([case.id for case in agreement.cases("torch")])
    yield _parent_cpu()
    yield from _of_sweep(QUICK)
    yield from _parent_memory()


def rows_a_minute(spent: Sequence[Spent], extras: bool = True) -> float:
    """At equal width; the geometric mean over rows, as a noisy one would outweigh the others."""
    return 60 / stats.geometric_mean(one.at_width(extras) for one in spent)


def _beside_others(ids: Sequence[str]) -> Iterator[Row]:
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


def opened(text: str) -> Callable[[], Any]:
    """The call of a case, in a process where torch was started."""
    framework, case = frameworks.get("torch"), Case.parse(text)
    layer = catalogue.load()[case.layer]
    return framework.prepare(Problem(case, layer, layer.builders["torch"])).open()


def by_torch_timer(ids: Sequence[str]) -> Iterator[tuple[float, list[float], int]]:
    """(seconds, samples, calls of each), in a process of its own; see `bench.alone`."""
    from torch.utils.benchmark import Timer

    frameworks.get("torch").start("cpu", 1)
    for text in ids:
        start = time.perf_counter()
        timer = Timer("call()", globals={"call": opened(text)}, num_threads=1)
        found = timer.blocked_autorange()
        yield time.perf_counter() - start, found.times, found.number_per_run


_TESTS = """
import os, time
import pytest
from harness import frameworks
from harness.verify.cost import opened

@pytest.fixture(scope="module", autouse=True)
def started():
    if {cores!r}:
        os.sched_setaffinity(0, {cores!r})
    frameworks.get("torch").start("cpu", 1)

@pytest.mark.parametrize("case", {ids!r})
def test_case(benchmark, case):
    start = time.perf_counter()
    benchmark(opened(case))
    benchmark.extra_info["taken_s"] = time.perf_counter() - start
"""


def _by_pytest_benchmark(ids: Sequence[str]) -> list[Spent]:
    with tempfile.TemporaryDirectory() as folder:
        tests, answers = Path(folder) / "test_cases.py", Path(folder) / "answers.json"
        tests.write_text(_TESTS.format(ids=list(ids), cores=cpu.cores(1)), encoding="utf-8")
        options = ("-q", "-p", "no:cacheprovider", "--timeout=0", f"--benchmark-json={answers}")
        subprocess.run(
            [sys.executable, "-m", "pytest", *options, str(tests)],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(bench.ROOT)},
        )
        found = json.loads(answers.read_text(encoding="utf-8"))["benchmarks"]
    return [
        _spent(one["extra_info"]["taken_s"], one["stats"]["data"], one["stats"]["iterations"])
        for one in found
    ]


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


def timed_s(request: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    """Seconds inside timed calls that a worker's answer tells of."""
    calls = request.get("calls", 1)
    return float(
        answer.get("first_call_s", 0.0)
        + sum(answer.get("wall_s", ())) * calls
        + sum(answer.get("doubled_s", ())) * 2 * calls
    )


@contextlib.contextmanager
def ledger() -> Iterator[Counter[str]]:
    """Fills, while it is open, with the seconds that workers were waited for, by request.

    ``timed`` is the part of all that lies inside calls whose time was taken, by the worker's own
    clock: the first call, warm-up and samples, and the audit's pairs.
    """
    spent: Counter[str] = Counter()
    ask, greeting = WorkerProcess.ask, WorkerProcess.greeting

    def timed_ask(self: WorkerProcess, timeout_s: float, **request: Any) -> dict[str, Any]:
        start = time.perf_counter()
        try:
            answer = ask(self, timeout_s, **request)
        finally:
            spent[request["do"]] += time.perf_counter() - start  # type: ignore[assignment]
        spent["timed"] += timed_s(request, answer)  # type: ignore[assignment]
        return answer

    def timed_greeting(self: WorkerProcess) -> dict[str, Any]:
        start = time.perf_counter()
        try:
            return greeting(self)
        finally:
            spent["start"] += time.perf_counter() - start  # type: ignore[assignment]

    with (
        mock.patch.object(WorkerProcess, "ask", timed_ask),
        mock.patch.object(WorkerProcess, "greeting", timed_greeting),
    ):
        yield spent


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
    spent["the parent"] = wall_s - sum(spent.values())  # type: ignore[assignment]
    shares = (f"{what} {taken_s / wall_s:.0%}" for what, taken_s in spent.most_common())
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
    with (run.folder / "journal.jsonl").open("w", encoding="utf-8") as journal:
        for case in cases:
            found = Measurement(
                *(case, "latency", 0, Status.OK, "2026-01-01T00:00:00+00:00"),
                samples_s=sample, calls_per_block=1, flops=1, bytes=1,
            )  # fmt: skip
            journal.write(json.dumps({"kind": "measurement", **found.to_json()}) + "\n")


def finish(folder: str) -> Iterator[tuple[int, int, float]]:
    """(rows, peak bytes, seconds), in a process of its own; see `bench.alone`."""
    import resource

    start = time.perf_counter()
    store.collect(folder)
    frame = store.load(folder)
    taken_s = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    yield len(frame), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, taken_s
