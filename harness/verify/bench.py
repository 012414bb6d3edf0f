"""Where proofs run: in the harness's own workers, or alone in a fresh process.

A proof never imports a framework into the process that prints the table: torch and TensorFlow
fight over threads, and what one proof left behind would be part of the next one's figures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import catalogue, frameworks
from harness.devices import cpu
from harness.frameworks import Framework
from harness.problem import Problem
from harness.runner.sampling import Ask
from harness.runner.workers import start
from harness.types import Bench, Case

ROOT = Path(__file__).resolve().parents[2]


def installed(wanted: Sequence[str] = ("torch", "tensorflow")) -> list[str]:
    """Those of the frameworks that are installed."""
    return [name for name in wanted if frameworks.installed(name)]


def opened(framework: Framework, case: str) -> Callable[[], Any]:
    """The call of a case, by its id, in a process where the framework was started."""
    parsed = Case.parse(case)
    layer = catalogue.load()[parsed.layer]
    return framework.prepare(Problem(parsed, layer, layer.builders[framework.builder])).open()


@contextmanager
def worker(
    framework: str,
    suites: Sequence[str] = (),
    probe: str = "latency",
    device: str = "cpu",
    folder: Path | None = None,
) -> Iterator[tuple[Ask, dict[str, Any]]]:
    """A worker as a run has it, with one thread: how to ask it, and its greeting.

    What it leaves behind is gone with it, unless `folder` says where it is kept.
    """
    with tempfile.TemporaryDirectory() as fresh:
        process = start(Bench(framework, device, 1), probe, folder or Path(fresh), suites)
        greeting = process.greeting()
        try:
            yield process.ask, greeting
        finally:
            process.close()


_ALONE = """
import importlib, json, os, sys
module, function, cores, arguments = json.loads(sys.argv[1])
if cores:
    os.sched_setaffinity(0, cores)
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for answer in getattr(importlib.import_module(module), function)(*arguments):
    print(json.dumps(answer), file=answers, flush=True)
"""


def alone(
    module: str,
    function: str,
    *arguments: Any,
    environment: Mapping[str, str] | None = None,
    cores: int = 1,
) -> Iterator[Any]:
    """What a generator function yields, as JSON, in a process of its own, pinned as a worker is.

    Raises:
        RuntimeError: it fails; the message is the end of what it said.
    """
    request = json.dumps([module, function, list(cpu.cores(cores)), arguments])
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", _ALONE, request],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env={**os.environ, **(environment or {}), "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        with process:
            for line in process.stdout:
                yield json.loads(line)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{module}.{function} failed: {said.read()[-1000:]}")


def peak_bytes(*, of_children: bool = False) -> int:
    """The most memory that this process held, or the largest of the children that it waited for."""
    import resource

    who = resource.RUSAGE_CHILDREN if of_children else resource.RUSAGE_SELF
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(who).ru_maxrss * unit
