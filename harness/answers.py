"""Answers to what the parent asks about one prepared case at a time, in a worker process.

They decide nothing; see `harness.runner` for who does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import math
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import catalogue, faults, surroundings
from harness.devices import waiting
from harness.frameworks import Framework, Step, UnsupportedError
from harness.layer import Layer, Mismatch
from harness.probes import approximation, ceilings, latency, parity, reference
from harness.probes.parity import Outcome
from harness.problem import ConstantProblem, Problem
from harness.profilers import operators
from harness.types import Case, Status


class Worker:
    """Answers requests about one prepared case at a time."""

    def __init__(
        self, framework: Framework, layers: dict[str, Layer], threads: int, cache: Path | None
    ) -> None:
        """Prepares nothing yet.

        Args:
            framework: started.
            layers: by name.
            threads: that compute at once.
            cache: folder for the reference's answers, if they are to be kept.
        """
        self._threads = threads
        self._cache = cache
        self._surroundings = surroundings.current()
        self._framework = framework
        self._layers = layers
        self._problem: Problem | None = None
        self._step: Step | None = None
        self._call: Callable[[], Any] | None = None
        self._first_result: Any = None
        self._checked: dict[Case, dict[str, Any]] = {}
        """What came of checks in a smaller size."""

    def answer(self, request: dict[str, Any]) -> str:
        """The answer to one request, as JSON; errors of the layer are answers too."""
        handlers: dict[str, Callable[..., dict[str, Any]]] = {
            "check_smaller": self._check_smaller,
            "prepare": self._prepare,
            "check": self._check,
            "sketch": self._sketch,
            "modules": self._modules,
            "run": self._run,
            "turn": self._turn,
            "pairs": self._pairs,
            "memory": self._memory,
            "execution": self._execution,
            "parts": self._parts,
            "profile": self._profile,
            "ceilings": self._ceilings,
        }
        handle = handlers[request.pop("do")]
        try:
            return json.dumps(handle(**request))
        except SystemExit as exit_:
            return failure(Status.ERROR, f"the layer called sys.exit({exit_.code!r})")
        except Mismatch as mismatch:
            return failure(Status.MISMATCH, faults.words(mismatch), parity_error=mismatch.error)
        except BaseException as error:  # whatever a layer raises costs its own row only
            status, reason = _classify(error, self._framework)
            if status is Status.ERROR:
                with contextlib.suppress(OSError):  # the log's disk may be full
                    traceback.print_exc()
            return failure(status, reason)

    def _prepare(self, case: dict[str, Any], constant: bool = False) -> dict[str, Any]:
        """Builds the case and calls it once.

        With ``constant`` its values take no memory of ours, and it cannot be checked.
        """
        self._forget()
        problem = self._problem_of(Case.from_json(case), ConstantProblem if constant else Problem)
        step = self._framework.prepare(problem)
        start = self._framework.clock()
        call = step.open()
        result = call()
        self._framework.synchronize(result)
        first_call_s = self._framework.clock() - start
        self._problem, self._step, self._call, self._first_result = problem, step, call, result
        return {
            "first_call_s": first_call_s,
            "flops": problem.flops,
            "bytes": problem.bytes,
            "density": problem.density,
            "parameter_bytes": step.parameter_bytes,
            "input_bytes": step.input_bytes,
            "warnings": list(step.notes()),
        }

    def _forget(self) -> None:
        """Lets go of the case before, and of what its layer has changed."""
        self._problem = self._call = self._step = self._first_result = None
        self._surroundings.restore()
        gc.collect()
        gc.disable()

    def _problem_of(self, case: Case, kind: type[Problem] = Problem) -> Problem:
        layer = self._layers[case.layer]
        return kind(case, layer, layer.builders[self._framework.builder])

    def _check_smaller(self, case: dict[str, Any]) -> dict[str, Any]:
        """Checks a case that is too large for its reference; once for all larger ones.

        Before the case itself is prepared, as preparing one may forget what was compiled for
        another.
        """
        whole = Case.from_json(case)
        smaller = self._problem_of(whole).checked_case
        if smaller == whole:
            return {}
        if smaller not in self._checked:
            self._forget()
            problem = self._problem_of(smaller)
            step = self._framework.prepare(problem)
            self._checked[smaller] = self._compared(problem, step.outcome(step.open()()))
        said = f"checked against its reference at {smaller.id.rpartition('/')[2]}"
        return {**self._checked[smaller], "warnings": [said]}

    def _check(self) -> dict[str, Any]:
        """Compares what the first call gave, with the weights as they were set."""
        assert self._problem is not None
        assert self._step is not None
        outcome = self._step.outcome(self._first_result)
        self._first_result = None
        if self._problem.checked_case == self._problem.case:
            found = self._compared(self._problem, outcome)
        else:
            parity.sane(self._problem, outcome)
            found = {}
        if (error := approximation.error(self._problem, outcome)) is not None:
            found["approximation_error"] = error
        return found

    def _compared(self, problem: Problem, outcome: Outcome) -> dict[str, Any]:
        return {"parity_error": parity.check(problem, outcome, self._cache)}

    def _sketch(self) -> dict[str, Any]:
        """What the reference computes, in a few numbers; see `harness.probes.reference`."""
        assert self._problem is not None
        problem = self._problem_of(self._problem.checked_case)
        if problem.layer.reference is None:
            return {"sketch": []}
        return {"sketch": reference.sketch(problem, self._cache)}

    def _modules(self, elsewhere: list[str], own: str) -> dict[str, Any]:
        """Which modules come from where they should not; see `catalogue.loaded_from`."""
        return {"modules": catalogue.loaded_from(elsewhere, own)}

    def _run(self, calls: int, blocks: int) -> dict[str, Any]:
        assert self._call is not None
        self._first_result = None
        told = self._framework.watch()
        taken = [latency.block(self._call, calls, self._framework) for _ in range(blocks)]
        return {
            "disturbances": told(),
            "wall_s": [block.wall_s for block in taken],
            "device_s": [block.device_s for block in taken if block.device_s is not None],
        }

    def _turn(self, calls: int) -> dict[str, Any]:
        """One block, and how much of it the process was kept from running, both in seconds a call.

        Where the kernel does not tell, that is 0.
        """
        assert self._call is not None
        self._first_result = None
        before = waiting.read()
        taken = latency.block(self._call, calls, self._framework)
        waited = waiting.waited_s(before, waiting.read(), self._threads)
        return {"wall_s": taken.wall_s, "waited_s": waited / calls}

    def _pairs(self, calls: int, pairs: int) -> dict[str, Any]:
        """Blocks of so many calls, each beside one of twice as many; the order alternates.

        All in one request: the first block after a wait for the parent finds cold caches, which
        weighs twice as much in the shorter block as in the longer one.
        """
        assert self._call is not None
        taken: dict[int, list[float]] = {calls: [], 2 * calls: []}
        for pair in range(pairs):
            for count in (calls, 2 * calls) if pair % 2 else (2 * calls, calls):
                taken[count].append(latency.block(self._call, count, self._framework).wall_s)
        return {"wall_s": taken[calls], "doubled_s": taken[2 * calls]}

    def _memory(self) -> dict[str, Any]:
        """One reading; the parent asks for several."""
        assert self._call is not None
        self._first_result = None
        return self._framework.peak_memory(self._call)._asdict()

    def _execution(self) -> dict[str, Any]:
        """Which way a call goes; empty if the framework cannot tell."""
        assert self._step is not None
        self._call = None  # with the graph that it may hold
        self._call = self._step.open()
        execution = self._framework.execution(self._call)
        return dataclasses.asdict(execution) if execution else {}

    def _parts(self) -> dict[str, Any]:
        """What a call holds at its peak; the last that can be asked of a prepared case."""
        assert self._step is not None
        self._call = None
        parts = self._framework.parts(self._step)
        if parts is None:
            return {}
        return {
            **dataclasses.asdict(parts),
            "workspace_bytes": parts.workspace_bytes,
        }

    def _profile(self, chrome: str) -> dict[str, Any]:
        """One call under the profiler, which leaves a file at `chrome`."""
        assert self._step is not None
        self._call = None
        trace = self._framework.profile(self._step.open(), Path(chrome))
        costs = [dataclasses.asdict(cost) for cost in operators.costs(trace)]
        return {"operators": costs, "memory": operators.timeline(trace)}

    def _ceilings(self, dtype: str) -> dict[str, Any]:
        calls = self._framework.ceilings(dtype)
        return ceilings.measure(calls.matmul, calls.stream, self._framework).to_json()


def failure(status: Status, reason: str, parity_error: float | None = None) -> str:
    """The answer that says how a request failed."""
    known: dict[str, float] = {}
    if parity_error is not None and math.isfinite(parity_error):
        known["parity_error"] = parity_error
    return json.dumps({"status": str(status), "reason": reason, **known})


def _classify(error: BaseException, framework: Framework) -> tuple[Status, str]:
    if isinstance(error, UnsupportedError):
        return Status.UNSUPPORTED, faults.words(error)
    with contextlib.suppress(Exception):  # an error whose own text is broken is still one
        if isinstance(error, MemoryError) or framework.is_out_of_memory(error):
            return Status.OOM, f"out of memory: {faults.told(error)}"
        if framework.is_unsupported(error):
            return Status.UNSUPPORTED, faults.told(error)
    return Status.ERROR, faults.told(error)
