"""Which worker a case needs, and how it is started."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import frameworks, units
from harness.devices import cpu, machine
from harness.runner.process import WorkerProcess
from harness.store.journal import REFERENCE_FOLDER
from harness.types import Bench, Case, UsageError
from harness.worker import Setup

MEMORY_SHARE = 0.85
"""Of the memory that is available, what a worker may take before it gets an error."""


@dataclass(frozen=True)
class Code:
    """Whose layers a worker measures; the harness that measures them is always this one.

    Attributes:
        roots: folders that come first on the path.
        python: the interpreter, with the frameworks of its environment.
    """

    roots: tuple[str, ...] = ()
    python: str = sys.executable


OURS = Code()

ENVIRONMENTS: Mapping[str, Mapping[str, str]] = {
    # Makes glibc hand large blocks back when they are freed, rather than keep them for the next
    # call, whose peak would then not show. Slower, so never where time is measured.
    "memory": {"MALLOC_MMAP_THRESHOLD_": "65536"},
    # For two workers on the same cores: threads that wait must not keep the other's turn busy. And
    # glibc keeps what is freed for the next call. Else it hands blocks back in some processes and
    # not in others, and those take each call's pages from the kernel anew: a layer norm of 4 MiB
    # took 0.8 ms in some and 9 ms in others of the same code.
    "duel": {
        "OMP_WAIT_POLICY": "PASSIVE",
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": str(2**40),
    },
}
"""What a probe needs beside what the framework asks for."""


def memory_limit_bytes() -> int:
    """What a worker for the CPU may take, if nobody says otherwise."""
    return int(MEMORY_SHARE * machine.available_memory_bytes())


def check_memory(name: str, wanted: Any) -> None:
    """Refuses a limit of memory that is none.

    Raises:
        UsageError: it is no number of bytes, or more than there are.
    """
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise UsageError(f"{name} = {wanted!r} is not a number of bytes; write one such as 8GiB")
    if wanted > machine.total_memory_bytes():
        raise UsageError(
            f"{name} = {units.size(wanted)} is more than this machine's "
            f"{units.size(machine.total_memory_bytes())}; leave it out to use most of what is free"
        )


def start(
    bench: Bench,
    probe: str,
    folder: Path,
    suites: Sequence[str],
    limit_bytes: int | None = None,
    code: Code = OURS,
    compiled: Path | None = None,
) -> WorkerProcess:
    """Starts a worker; its log and the reference's answers lie in `folder`.

    The probe is ``latency``, ``memory``, or ``duel`` for latency in turns with another worker. On
    the CPU it may take `limit_bytes` of memory, or `memory_limit_bytes` if that is None. What
    torch.compile makes is kept in `compiled`, and where that is None as torch pleases.
    """
    framework = frameworks.get(bench.framework)
    cache = reference_folder(folder)
    cache.mkdir(parents=True, exist_ok=True)
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    limit = limit_bytes or memory_limit_bytes()
    setup = Setup(
        framework=bench.framework,
        device=bench.device,
        threads=bench.threads,
        cores=cpu.cores(bench.threads),
        # CUDA reserves address space far beyond what it uses.
        memory_limit_bytes=limit if bench.device == "cpu" else None,
        suites=tuple(suites),
        roots=code.roots,
        cache=str(cache.resolve()),
        parent=os.getpid(),
    )
    environment = {
        "OPENBLAS_NUM_THREADS": str(bench.threads),
        # A worker for the CPU leaves the GPU and its driver alone.
        **({"CUDA_VISIBLE_DEVICES": ""} if bench.device == "cpu" else {}),
        **ENVIRONMENTS.get(probe, {}),
        **({"TORCHINDUCTOR_CACHE_DIR": str(compiled)} if compiled else {}),
        **framework.environment(bench.threads, probe),
    }
    log = logs / f"{bench.framework}-{bench.device}-t{bench.threads}.log"
    return WorkerProcess(setup, environment, log, code.python)


def reference_folder(folder: Path) -> Path:
    """Where the reference's answers are kept while a run lasts."""
    return folder / REFERENCE_FOLDER


class Workers:
    """Workers kept by bench, for whoever takes cases in an order of his own."""

    def __init__(self, folder: Path, suites: Sequence[str]) -> None:
        self._folder = folder
        self._suites = suites
        self._running: dict[Bench, tuple[WorkerProcess, dict[str, Any]]] = {}

    def of(self, case: Case) -> tuple[WorkerProcess, dict[str, Any]]:
        """The case's worker, started if need be, and its greeting.

        Raises:
            WorkerFailedError: it could not be started.
        """
        bench = Bench.of(case)
        if bench not in self._running:
            worker = start(bench, "latency", self._folder, self._suites)
            self._running[bench] = worker, worker.greeting()
        return self._running[bench]

    def drop(self, case: Case) -> None:
        """Ends the case's worker, so that the next case of its kind gets a fresh one."""
        if started := self._running.pop(Bench.of(case), None):
            started[0].kill()

    def close(self) -> None:
        """Ends them all."""
        while self._running:
            _, (worker, _greeting) = self._running.popitem()
            worker.close()
