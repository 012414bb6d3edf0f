"""Which worker a case needs, and how it is started."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness import frameworks
from harness.devices import cpu, machine
from harness.runner.process import WorkerProcess
from harness.types import Case
from harness.worker import Setup

MEMORY_SHARE = 0.85
"""Of the memory that is available, what a worker may take before it gets an error."""

_PROMPT_FREE = {"MALLOC_MMAP_THRESHOLD_": "65536"}
"""Makes glibc hand large blocks back when they are freed, rather than keep them for the next
call, whose peak would then not show. Slower, so never where time is measured."""


class Bench(NamedTuple):
    """What one worker process is for."""

    framework: str
    device: str
    threads: int

    @classmethod
    def of(cls, case: Case) -> Bench:
        return cls(case.framework, case.device, case.threads)


def start(bench: Bench, probe: str, folder: Path, suites: Sequence[str]) -> WorkerProcess:
    """Starts a worker; its log and the reference's answers lie in `folder`."""
    framework = frameworks.get(bench.framework)
    cache = reference_folder(folder)
    cache.mkdir(parents=True, exist_ok=True)
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    limit = int(MEMORY_SHARE * machine.available_memory_bytes())
    setup = Setup(
        framework=bench.framework,
        device=bench.device,
        threads=bench.threads,
        cores=cpu.cores(bench.threads),
        # CUDA reserves address space far beyond what it uses.
        memory_limit_bytes=limit if bench.device == "cpu" else None,
        suites=tuple(suites),
        cache=str(cache.resolve()),
        parent=os.getpid(),
    )
    environment = {
        "OPENBLAS_NUM_THREADS": str(bench.threads),
        **(_PROMPT_FREE if probe == "memory" else {}),
        **framework.environment(bench.threads, probe),
    }
    log = logs / f"{bench.framework}-{bench.device}-t{bench.threads}.log"
    return WorkerProcess(setup, environment, log)


def reference_folder(folder: Path) -> Path:
    """Where the reference's answers are kept while a run lasts."""
    return folder / "reference"


class Workers:
    """Workers kept by bench, for whoever takes cases in an order of his own."""

    def __init__(self, folder: Path, suites: Sequence[str]) -> None:
        self._folder = folder
        self._suites = suites
        self._running: dict[Bench, WorkerProcess] = {}

    def ask(self, case: Case, timeout_s: float, /, **request: Any) -> dict[str, Any]:
        """The answer of the case's worker, started if need be.

        Raises:
            WorkerFailedError: see `WorkerProcess.ask`; the next call starts a fresh worker.
        """
        bench = Bench.of(case)
        worker = self._running.pop(bench, None)
        if worker is None:
            worker = start(bench, "latency", self._folder, self._suites)
            worker.greeting()
        answer = worker.ask(timeout_s, **request)
        self._running[bench] = worker
        return answer

    def close(self) -> None:
        """Ends them all."""
        while self._running:
            self._running.popitem()[1].close()
