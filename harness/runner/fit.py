"""Whether a case fits into memory: each try in a worker that may die of it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness import frameworks, units
from harness.checks import LARGEST_COUNT
from harness.devices import cuda
from harness.problem import Problem
from harness.runner import received
from harness.runner.execute import ruled_out
from harness.runner.measure import told_peak
from harness.runner.process import CaseFailedError
from harness.runner.request import Plan, Request, check_has_axis, check_search, make_plan
from harness.runner.workers import check_memory, memory_limit_bytes, start
from harness.search import limit
from harness.search.axis import AXES, at
from harness.search.limit import Outcome, Try
from harness.sweep import read
from harness.types import Bench, Case, Status, UsageError


@dataclass(frozen=True)
class Fit:
    """What is searched, for each of its cases.

    Attributes:
        axis: ``seq`` or ``batch``.
        plan: its cases are the searches, each at the first value of the axis.
        up_to: the largest value of interest.
        limit_bytes: by device, what a worker may take; None where nobody can say.
    """

    axis: str
    plan: Plan
    up_to: int
    limit_bytes: Mapping[str, int | None]


@dataclass(frozen=True)
class FitEvent:
    """One try of one search; ``attempt`` is None if its case is ruled out from the start.

    Attributes:
        case: of the search, at the first value of the axis.
        ruled_out: status and reason, if it is.
    """

    case: Case
    attempt: Try | None
    ruled_out: tuple[Status, str] | None = None


def make_fit(
    layer: str, axis: str, request: Request, up_to: int | None, memory_bytes: int | None
) -> Fit:
    """Settles what is searched.

    Args:
        layer: its name.
        axis: to search along.
        request: what else is asked for; an axis that it leaves open is taken as the sweep has
            it, ``seq`` and ``batch`` at the smallest value.
        up_to: the largest value of interest; None for whatever a count can be.
        memory_bytes: what a worker for the CPU may take; None for most of what is free now.

    Raises:
        UsageError: something asked for does not exist or does not make sense.
    """
    check_search(axis, request)
    smallest = {name: [read(request.sweep).smallest(name)] for name in AXES}
    first = smallest[axis][0]
    if up_to is not None and up_to < first:
        smallest[axis] = [up_to]
    axes = {**smallest, **request.axes}
    plan = make_plan(replace(request, layers=(layer,), axes=axes))
    check_has_axis(axis, plan.layers)
    devices = {case.device for case in plan.cases}
    if memory_bytes is not None and devices != {"cpu"}:
        raise UsageError(
            "--max-memory limits workers for the CPU, a GPU has its own; add --device cpu"
        )
    if "cpu" in devices and sys.platform != "linux":
        raise UsageError("only Linux can hold a worker to its memory; elsewhere ask for a GPU")
    if memory_bytes is not None:
        check_memory("--max-memory", memory_bytes)
    known = {"cpu": memory_bytes or memory_limit_bytes(), "cuda": _gpu_memory_bytes()}
    return Fit(axis, plan, up_to or LARGEST_COUNT, {name: known[name] for name in devices})


def _gpu_memory_bytes() -> int | None:
    sizes = [gpu.memory_bytes for gpu in cuda.gpus()]
    return sizes[0] if sizes else None


def fit(asked: Fit) -> Iterator[FitEvent]:
    """Every try, as it comes, one search after the other."""
    with tempfile.TemporaryDirectory(prefix="layerbench-") as folder:
        for case in asked.plan.cases:
            if verdict := ruled_out(case, asked.plan.layers[case.layer]):
                yield FitEvent(case, None, verdict)
                continue

            def ask(value: int, case: Case = case) -> Outcome:
                return attempt(at(case, asked.axis, value), asked, Path(folder))

            first = getattr(case, asked.axis)
            for tried in limit.search(ask, first, asked.up_to):
                yield FitEvent(case, tried)


def attempt(case: Case, asked: Fit, folder: Path) -> Outcome:
    """Whether the case can be built, called, and called again, in a worker of its own."""
    layer, limit_bytes = asked.plan.layers[case.layer], asked.limit_bytes[case.device]
    try:
        verdict = ruled_out(case, layer)
    except UsageError as error:
        verdict = Status.ERROR, str(error)
    if verdict:
        return Outcome(*verdict, ran=False)
    builder = layer.builders[frameworks.get(case.framework).builder]
    held = Problem(case, layer, builder).held_bytes
    if limit_bytes and held > limit_bytes:
        reason = f"inputs and weights alone take {units.size(held)}"
        return Outcome(Status.OOM, reason, ran=False)
    timeout_s = asked.plan.sweep.timeout_s
    worker = start(Bench.of(case), "memory", folder, asked.plan.suites, limit_bytes)
    try:
        try:
            worker.greeting()
        except CaseFailedError as failure:  # tells nothing of this value
            small = failure.status is Status.OOM or "bad_alloc" in failure.reason
            hint = f"; {case.framework} itself may need more memory" if small else ""
            return Outcome(Status.ERROR, f"no worker could start: {failure.reason}{hint}")
        worker.ask(timeout_s, do="prepare", case=case.to_json(), constant=True)
        reading = received.reading(worker.ask(timeout_s, do="memory"))
    except CaseFailedError as failure:
        return Outcome(failure.status, failure.reason)
    finally:
        worker.kill()
    peak, memory_method = told_peak([reading])
    return Outcome(Status.OK, peak_memory_bytes=peak, memory_method=memory_method)
