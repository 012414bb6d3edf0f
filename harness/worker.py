"""The child process that measures: one framework, one device, one thread count.

It reads one JSON object a line from standard input and answers each with one. It decides
nothing; see `harness.runner` for who does. What layers print goes to standard error, so that
it cannot be mistaken for an answer.

Run as ``python -m harness.worker '{"framework": "torch", ...}'``; see `Setup`.
"""

from __future__ import annotations

import ctypes
import dataclasses
import gc
import json
import os
import re
import signal
import statistics
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from harness import catalogue, frameworks
from harness.frameworks import Framework, Step, UnsupportedError
from harness.layer import Layer, Mismatch
from harness.probes import ceilings, latency, parity
from harness.problem import Problem
from harness.types import Case, Status

_OPERATION_NUMBER = re.compile(r"\[Op:\w+\]")
"""TensorFlow's, different each time, which would make one reason look like many."""

MEMORY_READINGS = 3
"""Of which the median counts: the kernel keeps its page count in batches."""


@dataclass(frozen=True)
class Setup:
    """How a worker is started.

    Attributes:
        cores: the cores it is pinned to; empty where the system cannot pin.
        memory_limit_bytes: of private memory, so that a layer that wants too much gets an error
            and not the machine; None for no limit.
        suites: files and modules beside the catalogue.
        cache: folder for the reference's answers.
        parent: process id; the worker ends with it.
    """

    framework: str
    device: str
    threads: int
    cores: tuple[int, ...]
    memory_limit_bytes: int | None
    suites: tuple[str, ...]
    cache: str
    parent: int

    @property
    def json(self) -> str:
        return json.dumps(dataclasses.asdict(self))


class Worker:
    """Answers requests about one prepared case at a time."""

    def __init__(self, setup: Setup, framework: Framework, layers: dict[str, Layer]) -> None:
        self._setup = setup
        self._framework = framework
        self._layers = layers
        self._call: Callable[[], Any] | None = None
        self._step: Step | None = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request; errors of the layer are answers too, with a status."""
        handlers: dict[str, Callable[..., dict[str, Any]]] = {
            "prepare": self._prepare,
            "run": self._run,
            "memory": self._memory,
            "ceilings": self._ceilings,
        }
        handle = handlers[request.pop("do")]
        try:
            return handle(**request)
        except SystemExit as exit_:
            return _failure(Status.ERROR, f"the layer called sys.exit({exit_.code!r})")
        except BaseException as error:  # whatever a layer raises costs its own row only
            status, reason = _classify(error, self._framework)
            if status is Status.ERROR:
                traceback.print_exc()
            return _failure(status, reason)

    def _prepare(self, case: dict[str, Any], check: bool) -> dict[str, Any]:
        self._call = self._step = None
        gc.collect()
        gc.disable()  # a layer before this one may have enabled it
        parsed = Case.from_json(case)
        layer = self._layers[parsed.layer]
        problem = Problem(parsed, layer, layer.builders[self._framework.builder])
        self._step = step = self._framework.prepare(problem)
        start = self._framework.clock()
        call = step.open()
        result = call()
        self._framework.synchronize(result)
        first_call_s = self._framework.clock() - start
        error = None
        if check:
            cache = Path(self._setup.cache) if self._setup.cache else None
            error = parity.check(problem, step.outcome(result), cache)
        self._call = call
        return {
            "first_call_s": first_call_s,
            "parity_error": error,
            "flops": problem.flops,
            "bytes": problem.bytes,
            "parameter_bytes": step.parameter_bytes,
            "warnings": list(step.notes()),
        }

    def _run(self, calls: int, blocks: int) -> dict[str, Any]:
        assert self._call is not None
        taken = [latency.block(self._call, calls, self._framework) for _ in range(blocks)]
        return {
            "wall_s": [block.wall_s for block in taken],
            "device_s": [block.device_s for block in taken if block.device_s is not None],
        }

    def _memory(self) -> dict[str, Any]:
        assert self._call is not None
        readings = [self._framework.peak_memory(self._call) for _ in range(MEMORY_READINGS)]
        peaks = [peak for peak, _ in readings]
        return {
            "peak_memory_bytes": int(statistics.median(peaks)),
            "memory_method": readings[0][1],
        }

    def _ceilings(self, dtype: str) -> dict[str, Any]:
        calls = self._framework.ceilings(dtype)
        return ceilings.measure(calls.matmul, calls.stream, self._framework).to_json()


def _failure(status: Status, reason: str) -> dict[str, Any]:
    return {"status": str(status), "reason": reason}


def _classify(error: BaseException, framework: Framework) -> tuple[Status, str]:
    said = _one_line(error)
    reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
    if isinstance(error, Mismatch):
        return Status.MISMATCH, said
    if isinstance(error, MemoryError) or framework.is_out_of_memory(error):
        return Status.OOM, f"out of memory: {reason}"
    if isinstance(error, UnsupportedError):
        return Status.UNSUPPORTED, said
    if framework.is_unsupported(error):
        return Status.UNSUPPORTED, reason
    return Status.ERROR, f"{reason}{_place(error)}"


def _one_line(error: BaseException) -> str:
    """What the error says, without what could move a terminal's cursor or colours."""
    try:
        text = _OPERATION_NUMBER.sub("", str(error))
    except Exception as broken:  # an error whose own text is broken is still to be told
        text = f"its message cannot be read ({type(broken).__name__})"
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split())[:300]


def _place(error: BaseException) -> str:
    """Where in the user's code it happened: the deepest frame in a suite."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if "site-packages" not in path.parts and path.parent.name not in (
            "harness",
            "frameworks",
            "probes",
        ):
            return f" ({path.name}, line {frame.lineno})"
    return ""


def _private_streams() -> tuple[TextIO, TextIO]:
    """Streams from and to the parent that no layer can reach.

    To a layer standard input is empty, and standard output is standard error.
    """
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def _settle(setup: Setup) -> None:
    """Ends with the parent, stays on its cores, and within its memory."""
    if sys.platform == "linux":
        PR_SET_PDEATHSIG = 1  # noqa: N806 - the kernel's own name
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != setup.parent:
            os._exit(1)  # the parent died before we could ask to be told
        if setup.cores:
            os.sched_setaffinity(0, setup.cores)
        if setup.memory_limit_bytes:
            import resource

            limit = setup.memory_limit_bytes
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _serve(setup: Setup, lines: TextIO, reply: Callable[[dict[str, Any]], None]) -> None:
    framework = frameworks.get(setup.framework)
    try:
        framework.start(setup.device, setup.threads)
        layers = catalogue.load(setup.suites)
    except Exception as error:
        traceback.print_exc()
        status, reason = (
            (Status.UNSUPPORTED, str(error))
            if isinstance(error, UnsupportedError)
            else (Status.ERROR, f"the worker could not start: {type(error).__name__}: {error}")
        )
        reply(_failure(status, reason))
        return
    reply(
        {
            "version": framework.version(),
            "settings": dict(framework.settings()),
            "clock_resolution_s": latency.clock_resolution(framework.clock),
        }
    )
    # Python's collector must not run inside a timed block: it runs between cases, and passes
    # over what the framework brought with it, which would take longer than many a case.
    gc.disable()
    gc.freeze()
    worker = Worker(setup, framework, layers)
    for line in lines:
        reply(worker.answer(json.loads(line)))


def main(arguments: Sequence[str]) -> None:
    """Serves requests until standard input ends."""
    data = json.loads(arguments[0])
    setup = Setup(**{**data, "cores": tuple(data["cores"]), "suites": tuple(data["suites"])})
    _settle(setup)
    requests, answers = _private_streams()

    def reply(data: dict[str, Any]) -> None:
        answers.write(json.dumps(data) + "\n")
        answers.flush()

    _serve(setup, requests, reply)


if __name__ == "__main__":
    main(sys.argv[1:])
