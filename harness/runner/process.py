"""A worker as its parent sees it: ask, wait asleep, and tell how it died."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

import psutil

from harness import faults, reaper, units
from harness.devices import cgroup, resident
from harness.runner.deadline import Deadline
from harness.runner.pipes import LONGEST_ANSWER, Answers, Log
from harness.types import Status
from harness.worker import Setup

START_TIMEOUT_S = 180.0
"""For importing a framework on a slow disk."""
EXIT_TIMEOUT_S = 5.0
WATCH_S = 0.25
"""How often the parent looks at the memory of a worker that is busy with one request. Samples are
asked for in shorter ones (`harness.runner.measure.CHUNK_S`), so it never does during calls that do
not take as long themselves; and to look takes less than a thousandth of this time."""
_PARENT = f"{os.environ.get(reaper.MARK, '')}/{secrets.token_hex(8)}"
"""With this begins the mark of everything that workers of this process have started; and it begins
with the process's own, if it is itself the work of a worker."""
_NO_MEMORY = (
    *("bad_alloc", "MemoryError", "out of memory", "can't allocate", "Cannot allocate", "OOM when"),
)


_ADOPT = f"""
import importlib.util, sys
root = {str(Path(__file__).resolve().parents[2])!r}
spec = importlib.util.spec_from_file_location(
    "harness", root + "/harness/__init__.py", submodule_search_locations=[root + "/harness"]
)
sys.modules["harness"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["harness"])
"""
"""Makes this harness the one that is imported, in any interpreter and whatever is installed there,
and puts nothing on the path: not the folder it lies in, beside which another environment's packages
may lie, nor the working directory, where a file ``torch.py`` would be taken for the framework."""


def program(module: str) -> str:
    """The text of a program that calls ``main`` of this module of ours with its arguments."""
    return f"{_ADOPT}from {module} import main\nmain(sys.argv[1:])\n"


class CaseFailedError(Exception):
    """The case did not come through.

    Attributes:
        status: what it ended in.
        reason: a sentence.
        facts: what is known of it all the same, as fields of a `Measurement`.
    """

    def __init__(self, status: Status, reason: str, **facts: Any) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.facts = facts


class WorkerFailedError(CaseFailedError):
    """The worker did not answer and is gone; the status is that of the case it was at."""


class WorkerProcess:
    """One worker process, from its start to its end. Nothing it started outlives `close`."""

    def __init__(
        self, setup: Setup, environment: Mapping[str, str], log: Path, python: str = sys.executable
    ) -> None:
        """Starts the process; `greeting` waits for it to be ready."""
        self._oom_kills = cgroup.oom_kills()
        self._mark = f"{_PARENT}/{secrets.token_hex(8)}"
        self._limit_bytes = setup.memory_limit_bytes
        self._asked = 0
        try:
            _start_reaper()
            self._process = subprocess.Popen(
                [python, "-P", "-c", program("harness.worker"), setup.json],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **environment, reaper.MARK: self._mark},
                start_new_session=True,  # so that Ctrl-C reaches the parent only
            )
        except OSError as error:  # one that names no file must not be taken for the journal's
            named = error.filename or "a new process"
            raise OSError(error.errno, error.strerror, named) from error
        self._answers = Answers(cast("BufferedReader", self._process.stdout))
        self._log = Log(cast("BufferedReader", self._process.stderr), log)

    @property
    def alive(self) -> bool:
        """Whether it can be asked for more."""
        return self._process.poll() is None

    def greeting(self, timeout_s: float = START_TIMEOUT_S) -> dict[str, Any]:
        """What the worker says of itself once its framework is imported.

        Raises:
            WorkerFailedError: it died, could not start, or took longer than `timeout_s`.
        """
        try:
            return self._receive(timeout_s)
        except CaseFailedError as failure:
            self.close()
            raise WorkerFailedError(failure.status, failure.reason) from None
        except BaseException:  # Ctrl-C
            self.kill()
            raise

    def ask(self, timeout_s: float, **request: Any) -> dict[str, Any]:
        """The worker's answer; see `harness.answers.Worker`.

        Raises:
            CaseFailedError: the case failed, and the worker says how.
            WorkerFailedError: it died, took longer than `timeout_s`, or answered nonsense.
        """
        assert self._process.stdin is not None
        self._log.forget()
        self._asked += 1
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise self._death() from None
        return self._receive(timeout_s)

    def _receive(self, timeout_s: float) -> dict[str, Any]:
        line = self._line(timeout_s)
        if not line.endswith(b"\n") and len(line) < LONGEST_ANSWER:
            raise self._death()
        number, _, text = line.partition(b" ")
        try:
            if number != str(self._asked).encode():
                raise ValueError("no answer to what was asked")
            answer = json.loads(text)
            failed = _failure(answer)
        except (ValueError, TypeError, KeyError):
            self.kill()
            said = line[:80].decode(errors="replace")
            raise WorkerFailedError(
                Status.CRASHED, f"the worker answered with garbage: {said!r}"
            ) from None
        if failed:
            failed.reason = self._with_limit(failed.status, failed.reason)
            raise failed
        told: dict[str, Any] = answer
        return told

    def _line(self, timeout_s: float) -> bytes:
        """What it answers, while its memory is watched."""
        deadline = Deadline(timeout_s)
        while (left_s := deadline.left_s()) > 0:
            with contextlib.suppress(queue.Empty):
                return self._answers.take(min(left_s, WATCH_S))
            self._check_memory()
        self.kill()
        raise WorkerFailedError(
            Status.TIMEOUT, f"no answer within {timeout_s:g} s; --timeout allows more"
        )

    def _check_memory(self) -> None:
        """Ends it if it holds more than it may; what it allocates by itself the kernel limits.

        The limit of the kernel is one for each process, and not for memory that they share.
        """
        if self._limit_bytes is None:
            return
        held = resident.session_bytes(self._process.pid, self._limit_bytes)
        if held > self._limit_bytes:
            self.kill()
            reason = f"it held {units.size(held)} with what it started, and was stopped"
            raise WorkerFailedError(Status.OOM, self._with_limit(Status.OOM, reason))

    def _with_limit(self, status: Status, reason: str) -> str:
        if status is not Status.OOM or self._limit_bytes is None:
            return reason
        return f"{reason} (a worker may take {units.size(self._limit_bytes)})"

    def _death(self) -> WorkerFailedError:
        try:
            code = self._process.wait(EXIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:  # it closed its pipe, and hangs
            self.kill()
            return WorkerFailedError(Status.CRASHED, "the worker closed its pipe and went on")
        self.kill()
        said = self._last_words()
        hint = f"; it said: {said}" if said else ""
        if code != -signal.SIGSEGV and any(sign in said for sign in _NO_MEMORY):
            reason = self._with_limit(Status.OOM, f"out of memory: {said}")
            return WorkerFailedError(Status.OOM, reason)
        if code == -signal.SIGKILL and cgroup.oom_kills() > self._oom_kills:
            return WorkerFailedError(
                Status.OOM, "killed by the kernel: the machine ran out of memory"
            )
        if code < 0:
            named = -code in set(signal.Signals)  # not all of the real-time ones are
            name = signal.Signals(-code).name if named else f"signal {-code}"
            return WorkerFailedError(Status.CRASHED, f"the process died of {name}{hint}")
        return WorkerFailedError(
            Status.CRASHED, f"the process ended with exit status {code} in the middle of it{hint}"
        )

    def _last_words(self) -> str:
        lines = self._log.last_words()
        telling = [line for line in lines if any(sign in line for sign in _NO_MEMORY)]
        return faults.printable((telling or lines or [""])[-1])

    def close(self) -> None:
        """Lets the worker end by itself, then makes sure."""
        started = self._started()
        self._hang_up()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(EXIT_TIMEOUT_S)
        self._end(started)

    def kill(self) -> None:
        """Ends the worker and whatever it started, at once."""
        self._end(self._started())

    def _hang_up(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _started(self) -> list[psutil.Process]:
        """What descends from it, which can be told only while it lives."""
        if self.alive:  # or its number may be another's by now
            with contextlib.suppress(psutil.Error):
                return psutil.Process(self._process.pid).children(recursive=True)
        return []

    def _end(self, started: Sequence[psutil.Process]) -> None:
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it hangs in the kernel, in a driver
            self._process.wait(EXIT_TIMEOUT_S)
        reaper.kill(self._mark, started)
        self._hang_up()
        self._answers.end(EXIT_TIMEOUT_S)
        self._log.end(EXIT_TIMEOUT_S)


@functools.cache
def _start_reaper() -> subprocess.Popen[bytes]:
    """One for this process; its pipe stays open until this process is gone."""
    return subprocess.Popen(
        [sys.executable, "-P", "-c", program("harness.reaper"), _PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _failure(answer: Any) -> CaseFailedError | None:
    """What the answer says that the case failed with, if it does; see `harness.answers.failure`.

    Raises:
        TypeError, KeyError, ValueError: no worker of ours would answer so.
    """
    if not isinstance(answer, dict):
        raise TypeError("no object")
    if "status" not in answer:
        return None
    error = answer.get("parity_error")
    facts = {} if error is None else {"parity_error": float(error)}
    return CaseFailedError(Status(answer["status"]), str(answer["reason"]), **facts)
