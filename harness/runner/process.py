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
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from harness import reaper
from harness.types import Status
from harness.worker import Setup

START_TIMEOUT_S = 180.0
"""For importing a framework on a slow disk."""
EXIT_TIMEOUT_S = 5.0
_PARENT = f"{os.environ.get(reaper.MARK, '')}/{secrets.token_hex(8)}"
"""With this begins the mark of everything that workers of this process have started; and it begins
with the process's own, if it is itself the work of a worker."""
_NO_MEMORY = ("bad_alloc", "out of memory", "can't allocate", "Cannot allocate", "OOM when")


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
        self._oom_kills = _oom_kills()
        self._mark = f"{_PARENT}/{secrets.token_hex(8)}"
        _start_reaper()
        self._log = log
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        with log.open("ab") as log_file:
            self._log_start = log_file.tell()
            self._process = subprocess.Popen(
                [python, "-P", "-c", program("harness.worker"), setup.json],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log_file,
                env={**os.environ, **environment, reaper.MARK: self._mark},
                start_new_session=True,  # so that Ctrl-C reaches the parent only
                text=True,
            )
        assert self._process.stdout is not None
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stdout,), daemon=True
        )
        self._reader.start()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._answers.put(line)
        self._answers.put(None)

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
        self._log_start = self._log.stat().st_size
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise self._death() from None
        return self._receive(timeout_s)

    def _receive(self, timeout_s: float) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            self.kill()
            raise WorkerFailedError(
                Status.TIMEOUT, f"no answer within {timeout_s:g} s; --timeout allows more"
            ) from None
        if line is None:
            raise self._death()
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            self.kill()
            raise WorkerFailedError(
                Status.CRASHED, f"the worker answered with garbage: {line[:80]!r}"
            ) from None
        if "status" in answer:
            raise CaseFailedError(Status(answer.pop("status")), answer.pop("reason"), **answer)
        return answer

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
            return WorkerFailedError(Status.OOM, f"out of memory: {said}")
        if code == -signal.SIGKILL and _oom_kills() > self._oom_kills:
            return WorkerFailedError(
                Status.OOM, "killed by the kernel: the machine ran out of memory"
            )
        if code < 0:
            name = signal.Signals(-code).name
            return WorkerFailedError(Status.CRASHED, f"the process died of {name}{hint}")
        return WorkerFailedError(
            Status.CRASHED, f"the process ended with exit status {code} in the middle of it{hint}"
        )

    def _last_words(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read()[-20_000:].decode(errors="replace").strip().splitlines()
        telling = [line for line in lines if any(sign in line for sign in _NO_MEMORY)]
        return (telling or lines or [""])[-1].strip()[:200]

    def close(self) -> None:
        """Lets the worker end by itself, then makes sure."""
        self._hang_up()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(EXIT_TIMEOUT_S)
        self.kill()

    def _hang_up(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def kill(self) -> None:
        """Ends the worker and whatever it started, at once."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        reaper.kill(self._mark)  # what made a session of its own
        self._hang_up()
        self._reader.join(EXIT_TIMEOUT_S)


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


def _oom_kills() -> int:
    """How many processes the kernel has killed for want of memory since it started."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0
