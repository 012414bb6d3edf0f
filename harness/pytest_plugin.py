"""The same cases through pytest-benchmark: ``pytest suites/ --benchmark-only -k "lstm and torch"``.

A test that takes ``layer_case`` runs once for each case of the sweep, with the case's id as its
own. The layer runs in a worker process of its framework, as in a sweep, and pytest-benchmark is
given the worker's figures through a clock that moves only as a worker says. So its JSON,
comparison and histogram hold what a sweep would have measured.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.types import Case, HarnessError, Status

if TYPE_CHECKING:  # every pytest session imports this module: nothing heavy at the top
    from harness.runner import Plan, Workers  # noqa: F401 - Plan: in a quoted type

BLOCK_S = 1e-3
WARM_UP_BLOCKS = 10
ROUNDS = 30
_plan = pytest.StashKey["Plan"]()


class WorkerClock:
    """A clock for pytest-benchmark that shows how long the worker says it has worked."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


CLOCK = WorkerClock()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options that choose what is measured."""
    group = parser.getgroup("layerbench")
    group.addoption("--layerbench-sweep", default="quick", metavar="SWEEP", help="default quick")
    group.addoption(
        "--layerbench-suite",
        action="append",
        default=[],
        metavar="FILE_OR_MODULE",
        help="layers of your own, beside the catalogue (repeatable)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a case."""
    if "layer_case" not in metafunc.fixturenames:
        return
    from harness import runner

    config = metafunc.config
    if _plan not in config.stash:
        suites = tuple(config.getoption("--layerbench-suite"))
        try:
            config.stash[_plan] = runner.make_plan(
                runner.Request(config.getoption("--layerbench-sweep"), suites=suites)
            )
        except HarnessError as error:
            raise pytest.UsageError(str(error)) from error
    cases = config.stash[_plan].cases
    metafunc.parametrize("layer_case", cases, ids=[case.id for case in cases])


def pytest_itemcollected(item: pytest.Item) -> None:
    """Gives such a test the workers' clock."""
    if "benchmark_layer" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.benchmark(timer=CLOCK))


@pytest.fixture(scope="session")
def layer_workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    """Workers by framework, device and threads, started when a case first needs one."""
    from harness.runner import Workers

    plan = request.config.stash[_plan]
    with tempfile.TemporaryDirectory(prefix="layerbench-") as folder:
        workers = Workers(Path(folder), plan.suites)
        yield workers
        workers.close()


@pytest.fixture
def benchmark_layer(
    request: pytest.FixtureRequest, layer_workers: Workers
) -> Callable[[Any, Case], None]:
    """A function (benchmark, case) that checks the case and hands its time to pytest-benchmark."""
    from harness import runner

    plan = request.config.stash[_plan]

    def run(benchmark: Any, case: Case) -> None:
        if verdict := runner.ruled_out(case, plan.layers[case.layer]):
            pytest.skip(verdict[1])

        def ask(**question: Any) -> dict[str, Any]:
            try:
                answer = layer_workers.ask(case, plan.sweep.timeout_s, **question)
            except runner.WorkerFailedError as failure:
                pytest.fail(f"{failure.status}: {failure.reason}", pytrace=False)
            if answer.get("status") == Status.UNSUPPORTED:
                pytest.skip(answer["reason"])
            if "status" in answer:
                pytest.fail(f"{answer['status']}: {answer['reason']}", pytrace=False)
            return answer

        ask(do="prepare", case=case.to_json(), check=True)
        once_s = min(ask(do="run", calls=1, blocks=3)["wall_s"])
        calls = max(1, math.ceil(BLOCK_S / max(once_s, 1e-7)))
        ask(do="run", calls=calls, blocks=WARM_UP_BLOCKS)

        def block() -> None:
            CLOCK.now += ask(do="run", calls=calls, blocks=1)["wall_s"][0]

        benchmark.extra_info.update(case=case.id, calls_per_block=calls)
        benchmark.pedantic(block, rounds=ROUNDS, iterations=1)

    return run
