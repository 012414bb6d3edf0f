"""What a verdict costs, beside tools that answer the same question, and how often each is wrong.

All of them compare the same layers with themselves, in turn, on the same machine. Each is timed
from its command's start to its verdict; what it has to be given before, such as the environment
that asv makes, is not.
"""

from __future__ import annotations

import contextlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness import runner, units
from harness.verify import bench, other_tools
from harness.verify.gate import asv
from harness.verify.gate.runs import THRESHOLD, typed
from harness.verify.gate.same import FALSE_CASES, requests
from harness.verify.row import Row, judged, noted, share, skipped

ROUNDS = 3
DEAREST = 6.0
"""Times the cheapest of the others."""
OURS = "layerbench regress"
PYTEST_BENCHMARK = "pytest-benchmark, twice and compared by median"
ASV = "asv continuous"
_FAILED_CHECK = "has failed PercentageRegressionCheck"


@dataclass(frozen=True)
class Compared:
    """One comparison of unchanged code: how long it took, and how many cases it called slower."""

    seconds: float
    slower: int


def rows() -> Iterator[Row]:
    if not bench.installed(["torch"]):
        yield skipped("cost of a verdict", f"at most {DEAREST:g}", "torch is not installed")
        return
    request = next(requests())
    ids = [case.id for case in runner.make_plan(request).cases]
    tools: dict[str, Callable[[], Compared]] = {
        OURS: partial(_ours, ids),
        PYTEST_BENCHMARK: partial(_by_pytest_benchmark, ids),
    }
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(asv.project(ids))
        except asv.UnavailableError as error:
            yield skipped(f"{len(ids)} layers to a verdict, {ASV}", "", str(error))
        else:
            tools[ASV] = partial(_by_asv, folder)
        rng = random.Random(0)
        found: dict[str, list[Compared]] = {name: [] for name in tools}
        for _ in range(ROUNDS):
            for name in rng.sample(list(tools), len(tools)):
                found[name].append(tools[name]())
    yield from judge(found, len(ids))


def judge(found: Mapping[str, Sequence[Compared]], cases: int) -> Iterator[Row]:
    """Rows on rounds in which each tool compared so many cases once."""
    for name, compared in found.items():
        yield noted(f"{cases} layers to a verdict, {name}", _times(compared))
    ratio, text = times_the_cheapest(found)
    yield judged(
        f"{OURS}, times the cheapest of the others", f"at most {DEAREST:g}", text, ratio <= DEAREST
    )
    for name, compared in found.items():
        slower, total = sum(one.slower for one in compared), cases * len(compared)
        check = f"A/A, called slower at {THRESHOLD:.0%} by {name}"
        if name == OURS:
            expected = f"at most {FALSE_CASES:.0%}"
            yield judged(check, expected, share(slower, total), slower <= FALSE_CASES * total)
        else:
            yield noted(check, share(slower, total))


def times_the_cheapest(found: Mapping[str, Sequence[Compared]]) -> tuple[float, str]:
    """The median over rounds of our time over that of the quickest other in the same round."""
    others = [compared for name, compared in found.items() if name != OURS]
    ratios = [
        ours.seconds / min(other.seconds for other in at_once)
        for ours, *at_once in zip(found[OURS], *others, strict=True)
    ]
    middle = statistics.median(ratios)
    return middle, f"{middle:.2f} ({min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} rounds)"


def _times(compared: Sequence[Compared]) -> str:
    seconds = [one.seconds for one in compared]
    low, middle, high = map(units.seconds, (min(seconds), statistics.median(seconds), max(seconds)))
    return f"{middle} ({low} to {high})"


def _ours(ids: Sequence[str]) -> Compared:
    found = typed(bench.ROOT, "--base=.", "--head=.", *(f"--case={case}" for case in ids))
    return Compared(found.seconds, len(found.outcome.bad))


def _by_pytest_benchmark(ids: Sequence[str]) -> Compared:
    """Base is saved, and head is held against it."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        base = other_tools.pytest_benchmark(ids, Path(folder), "--benchmark-save=base")
        base.check_returncode()
        head = other_tools.pytest_benchmark(
            *(ids, Path(folder), "--benchmark-compare=0001"),
            f"--benchmark-compare-fail=median:{THRESHOLD:.0%}",
        )
        seconds = time.perf_counter() - start
    slower = head.stdout.count(_FAILED_CHECK)
    if bool(head.returncode) != bool(slower):
        raise RuntimeError(f"pytest ended with {head.returncode}: {head.stdout[-1000:]}")
    return Compared(seconds, slower)


def _by_asv(folder: Path) -> Compared:
    start = time.perf_counter()
    slower = asv.continuous(folder, THRESHOLD)
    return Compared(time.perf_counter() - start, slower)
