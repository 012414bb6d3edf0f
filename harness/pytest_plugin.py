"""The same cases through pytest-benchmark: ``pytest suites/ --benchmark-only -k "lstm and torch"``.

A test that takes ``layer_case`` runs once for each case of the sweep, with the case's id as its
own. The layer runs in a worker process of its framework, as in a sweep, and pytest-benchmark is
given the worker's figures through a clock that moves only as a worker says. So its JSON,
comparison and histogram hold what a sweep would have measured.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.types import Case, HarnessError

if TYPE_CHECKING:  # every pytest session imports this module: nothing heavy at the top
    from harness.runner import Plan, Workers  # noqa: F401 - Plan: in a quoted type

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
    ids = [case.id for case in config.stash[_plan].cases]
    metafunc.parametrize("layer_case", ids, ids=ids)


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
) -> Callable[[Any, str], None]:
    """A function (benchmark, case id) that checks the case and times it for pytest-benchmark."""
    from harness import runner

    plan = request.config.stash[_plan]

    cases = {case.id: case for case in plan.cases}

    def run(benchmark: Any, case_id: str) -> None:
        case = cases[case_id]
        if verdict := runner.ruled_out(case, plan.layers[case.layer]):
            status, reason = verdict
            if status.failed:
                pytest.fail(f"{status}: {reason}", pytrace=False)
            pytest.skip(reason)

        effort = runner.Effort(plan.sweep.rel_ci, plan.sweep.sample_s, plan.sweep.timeout_s)
        with _failures_told(layer_workers, case):
            worker, greeting = layer_workers.of(case)
            resolution_s = greeting["clock_resolution_s"]
            calls = runner.make_ready(worker.ask, case, 0, effort, resolution_s).calls

        def block() -> None:
            with _failures_told(layer_workers, case):
                answer = worker.ask(effort.timeout_s, do="run", calls=calls, blocks=1)
            CLOCK.now += answer["wall_s"][0]

        benchmark.extra_info.update(case=case.id, calls_per_block=calls)
        benchmark.pedantic(block, rounds=ROUNDS, iterations=1)

    return run


@contextlib.contextmanager
def _failures_told(workers: Workers, case: Case) -> Iterator[None]:
    """Turns what a case ended in into what pytest calls it."""
    from harness.runner import CaseFailedError, WorkerFailedError

    try:
        yield
    except CaseFailedError as failure:
        if isinstance(failure, WorkerFailedError):
            workers.drop(case)
        if failure.status.failed:
            pytest.fail(f"{failure.status}: {failure.reason}", pytrace=False)
        pytest.skip(failure.reason)
