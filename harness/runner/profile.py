"""One case under its framework's profiler, in a worker that ends with it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.profilers.operators import Cost
from harness.runner.execute import ruled_out
from harness.runner.request import Request, make_plan
from harness.runner.workers import start
from harness.store.writing import make_folder, save, writing
from harness.types import Bench, Case, UsageError

TRACE_FILE = "trace.json"
PROFILE_TIMEOUT_S = 600.0
"""A profiler is slow, and what it writes may be large."""


@dataclass(frozen=True)
class Profile:
    """What was seen of one call.

    Attributes:
        case: what was called.
        folder: where files about it belong; it holds the trace that Perfetto and Chrome can show.
        framework_version: of the framework.
        operators: what each cost, the costliest first.
        memory: (seconds since the call began, bytes held above the beginning) after each change.
    """

    case: Case
    folder: Path
    framework_version: str
    operators: tuple[Cost, ...]
    memory: tuple[tuple[float, int], ...]


def profile(case_id: str, suites: Sequence[str], out: Path) -> Profile:
    """Calls the case once under the profiler.

    Args:
        case_id: see `harness.types.Case.id`.
        suites: files or modules with layers beside the catalogue.
        out: the folder below which the case gets its own.

    Raises:
        UsageError: it is no case id, names something that is not there or makes no sense, or the
            folder cannot be written to.
        CaseFailedError: the case, or its worker, failed.
    """
    plan = make_plan(Request(cases=[case_id], suites=suites))
    (case,) = plan.cases
    if verdict := ruled_out(case, plan.layers[case.layer]):
        raise UsageError(f"case {case.id} is {verdict[0]}: {verdict[1]}")
    folder = out / case.id
    with writing(out, "name another folder with --out"):
        make_folder(folder)
    with tempfile.TemporaryDirectory() as logs:
        worker = start(Bench.of(case), "profile", Path(logs), plan.suites)
        try:
            version = worker.greeting()["version"]
            worker.ask(plan.sweep.timeout_s, do="prepare", case=case.to_json())
            chrome = Path(logs) / TRACE_FILE
            answer = worker.ask(PROFILE_TIMEOUT_S, do="profile", chrome=str(chrome))
        finally:
            worker.close()
        save(folder / TRACE_FILE, chrome.read_bytes(), "name another folder with --out")
    return Profile(
        case,
        folder,
        version,
        tuple(Cost(**cost) for cost in answer["operators"]),
        tuple((at_s, held) for at_s, held in answer["memory"]),
    )
