"""What the harness costs: rows a minute beside other tools, and what it takes for itself.

Tools stop by rules of their own and end with intervals of different widths. A width falls with the
root of the time, so what each took is brought to the same width before it is compared: the time for
±1 % is the time taken · (width / 1 %)². Ours includes the check against the reference, which the
others do not make; starting processes is left out of all three.
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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import psutil

from harness import catalogue, frameworks, runner, stats, store, units
from harness.problem import Problem
from harness.runner import measure
from harness.runner.measure import Effort
from harness.runner.process import WorkerProcess
from harness.types import Case, Measurement, Status
from harness.verify import agreement, bench
from harness.verify.row import Row, judged, noted, skipped

WIDTH = 0.01
NARROWEST = 1e-4
"""Below it, a width says that samples are equal to the clock's step."""
EFFORT = Effort(rel_ci=WIDTH, sample_s=0.3, timeout_s=60.0)
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
    yield from _beside_others([case.id for case in agreement.cases("torch")])
    yield _parent_cpu()
    yield from _of_sweep(QUICK)
    yield from _parent_memory()


def rows_a_minute(spent: Sequence[tuple[float, float]]) -> float:
    """At equal width.

    Args:
        spent: of each row (seconds, relative half-width of its interval).
    """
    at_width = (taken_s * (max(width, NARROWEST) / WIDTH) ** 2 for taken_s, width in spent)
    return 60 / stats.geometric_mean(at_width)


def _beside_others(ids: Sequence[str]) -> Iterator[Row]:
    environment = frameworks.get("torch").environment(1, "latency")
    timer = list(bench.alone(__name__, "by_torch_timer", list(ids), environment=environment))
    found = {
        "layerbench": _ours(ids),
        "torch.utils.benchmark, blocked_autorange": timer,
        "pytest-benchmark": _by_pytest_benchmark(ids),
    }
    rate = rows_a_minute(found["layerbench"])
    for tool, spent in found.items():
        other = rows_a_minute(spent)
        widths = sorted(width for _seconds, width in spent)
        taken_s = sum(seconds for seconds, _width in spent) / len(spent)
        text = f"{other:.0f} ({units.seconds(taken_s)} a row at ±{widths[len(widths) // 2]:.1%})"
        check = f"rows a minute at ±{WIDTH:.0%}, {tool}"
        yield judged(check, "at most ours", text, other <= rate)


def _ours(ids: Sequence[str]) -> list[tuple[float, float]]:
    spent = []
    with bench.worker("torch") as (ask, greeting):
        for text in ids:
            start = time.perf_counter()
            resolution_s = greeting["clock_resolution_s"]
            found = measure.latency(ask, Case.parse(text), 0, EFFORT, resolution_s)
            spent.append((time.perf_counter() - start, _width(found.samples_s)))
    return spent


def _width(samples: Sequence[float]) -> float:
    return stats.series_interval(samples).relative_half_width


def opened(text: str) -> Callable[[], Any]:
    """The call of a case, in a process where torch was started."""
    framework, case = frameworks.get("torch"), Case.parse(text)
    layer = catalogue.load()[case.layer]
    return framework.prepare(Problem(case, layer, layer.builders["torch"])).open()


def by_torch_timer(ids: Sequence[str]) -> Iterator[tuple[float, float]]:
    """(seconds, width) of each, in a process of its own; see `bench.alone`."""
    from torch.utils.benchmark import Timer

    frameworks.get("torch").start("cpu", 1)
    for text in ids:
        start = time.perf_counter()
        timer = Timer("call()", globals={"call": opened(text)}, num_threads=1)
        times = timer.blocked_autorange().times
        yield time.perf_counter() - start, _width(times)


_TESTS = """
import json, time
from pathlib import Path
import pytest
from harness import frameworks
from harness.verify.cost import opened

@pytest.fixture(scope="module", autouse=True)
def started():
    frameworks.get("torch").start("cpu", 1)

@pytest.mark.parametrize("case", {ids!r})
def test_case(benchmark, case):
    start = time.perf_counter()
    benchmark(opened(case))
    benchmark.extra_info["taken_s"] = time.perf_counter() - start
"""


def _by_pytest_benchmark(ids: Sequence[str]) -> list[tuple[float, float]]:
    with tempfile.TemporaryDirectory() as folder:
        tests, answers = Path(folder) / "test_cases.py", Path(folder) / "answers.json"
        tests.write_text(_TESTS.format(ids=list(ids)), encoding="utf-8")
        options = ("-q", "-p", "no:cacheprovider", "--timeout=0", f"--benchmark-json={answers}")
        subprocess.run(
            [sys.executable, "-m", "pytest", *options, str(tests)],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(bench.ROOT)},
        )
        found = json.loads(answers.read_text(encoding="utf-8"))["benchmarks"]
    return [(one["extra_info"]["taken_s"], _width(one["stats"]["data"])) for one in found]


def _parent_cpu() -> Row:
    """Of this process, which waits while its worker measures."""
    effort = Effort(rel_ci=NARROWEST, sample_s=PARENT_S, timeout_s=60.0)
    with bench.worker("torch") as (ask, greeting):
        process = psutil.Process()
        before, start = process.cpu_times(), time.perf_counter()
        measure.latency(ask, Case.parse(PARENT_CASE), 0, effort, greeting["clock_resolution_s"])
        after, taken_s = process.cpu_times(), time.perf_counter() - start
    share = (after.user + after.system - before.user - before.system) / taken_s
    check = "the parent's share of a CPU while a worker measures"
    return judged(check, f"below {PARENT_CPU:.0%}", f"{share:.2%}", share < PARENT_CPU)


@contextlib.contextmanager
def ledger() -> Iterator[Counter[str]]:
    """Fills, while it is open, with the seconds that workers were waited for, by request.

    ``timed`` is the part of ``run`` that lies inside timed blocks, by the worker's own clock.
    """
    spent: Counter[str] = Counter()
    ask, greeting = WorkerProcess.ask, WorkerProcess.greeting

    def timed_ask(self: WorkerProcess, timeout_s: float, **request: Any) -> dict[str, Any]:
        start = time.perf_counter()
        try:
            answer = ask(self, timeout_s, **request)
        finally:
            spent[request["do"]] += time.perf_counter() - start  # type: ignore[assignment]
        if request["do"] == "run":
            spent["timed"] += sum(answer["wall_s"]) * request["calls"]
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
    check = f"share of {plan.sweep.name} inside timed blocks"
    text = f"{share:.1%} of {units.seconds(wall_s)}"
    yield judged(check, f"at least {SHARE:.0%}", text, share >= SHARE)
    spent["the parent"] = wall_s - sum(spent.values())  # type: ignore[assignment]
    shares = (f"{what} {taken_s / wall_s:.0%}" for what, taken_s in spent.most_common())
    yield noted(f"where the time of {plan.sweep.name} goes, by request", ", ".join(shares))


def _parent_memory(count: int = ROWS) -> Iterator[Row]:
    """Of a process that loads a journal of so many rows, as the parent does for its report."""
    with tempfile.TemporaryDirectory() as folder:
        write_journal(Path(folder), count)
        ((loaded, peak, taken_s),) = bench.alone(__name__, "load", folder)
    text = f"{units.size(peak)}, {loaded:,} rows in {units.seconds(taken_s)}"
    yield noted(f"peak memory of loading {count:,} rows of {SAMPLES} samples", text)


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


def load(folder: str) -> Iterator[tuple[int, int, float]]:
    """(rows, peak bytes, seconds), in a process of its own; see `bench.alone`."""
    import resource

    start = time.perf_counter()
    frame = store.load(folder)
    taken_s = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    yield len(frame), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, taken_s
