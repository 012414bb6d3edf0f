"""The child process that measures: one framework, one device, one thread count.

It reads one JSON object a line from standard input and answers each with a line of the request's
number and one JSON object; the greeting is number 0. It decides nothing; see `harness.runner` for
who does. What layers print goes to standard error, and what they write elsewhere has no number, so
that neither is mistaken for an answer.

Started by `harness.runner.process` with a `Setup` as its one argument.
"""

from __future__ import annotations

import ctypes
import dataclasses
import gc
import itertools
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from harness import catalogue, faults, frameworks
from harness.answers import Worker, failure
from harness.devices import noise
from harness.frameworks import UnsupportedError
from harness.types import Status


@dataclass(frozen=True)
class Setup:
    """How a worker is started.

    Attributes:
        cores: the cores it is pinned to; empty where the system cannot pin.
        memory_limit_bytes: of private memory, so that a layer that wants too much gets an error
            and not the machine; None for no limit.
        suites: files and modules beside the catalogue.
        roots: folders that come first on the path, with the code that the suites are about.
        cache: folder for the reference's answers.
        parent: process id; the worker ends with it.
    """

    framework: str
    device: str
    threads: int
    cores: tuple[int, ...]
    memory_limit_bytes: int | None
    suites: tuple[str, ...]
    roots: tuple[str, ...]
    cache: str
    parent: int

    @property
    def json(self) -> str:
        return json.dumps(dataclasses.asdict(self))


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
        # The kernel's own names. What a layer starts stays our descendant, however it detaches.
        PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # noqa: N806
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
        if os.getppid() != setup.parent:
            os._exit(1)  # the parent died before we could ask to be told
        if setup.cores:
            os.sched_setaffinity(0, setup.cores)
        if setup.memory_limit_bytes:
            import resource

            limit = setup.memory_limit_bytes
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _serve(setup: Setup, lines: TextIO, reply: Callable[[str], None]) -> None:
    framework = frameworks.get(setup.framework)
    try:
        framework.start(setup.device, setup.threads)
        catalogue.put_first(setup.roots)
        layers = catalogue.load(setup.suites, here=not setup.roots)
    except BaseException as error:  # a suite may call sys.exit, too
        traceback.print_exc()
        status, reason = (
            (Status.UNSUPPORTED, str(error))
            if isinstance(error, UnsupportedError)
            else (Status.ERROR, f"the worker could not start: {faults.told(error)}")
        )
        reply(failure(status, reason))
        return
    greeting = {
        "version": framework.version(),
        "packages": dict(framework.packages()),
        "settings": dict(framework.settings()),
        "clock_resolution_s": noise.clock_resolution(framework.clock),
    }
    reply(json.dumps(greeting))
    # Python's collector must not run inside a timed block: it runs between cases, and passes
    # over what the framework brought with it, which would take longer than many a case.
    gc.disable()
    gc.freeze()
    cache = Path(setup.cache) if setup.cache else None
    worker = Worker(framework, layers, setup.threads, cache)
    for line in lines:
        reply(worker.answer(json.loads(line)))


def main(arguments: Sequence[str]) -> None:
    """Serves requests until standard input ends."""
    data = json.loads(arguments[0])
    lists = {name: tuple(data[name]) for name in ("cores", "suites", "roots")}
    setup = Setup(**{**data, **lists})
    _settle(setup)
    requests, answers = _private_streams()

    number = itertools.count()

    def reply(answer: str) -> None:
        answers.write(f"{next(number)} {answer}\n")
        answers.flush()

    _serve(setup, requests, reply)
