"""Prints, as JSON, what the check of every run says of the catalogue's cases in one framework.

A program of its own, since TensorFlow and torch never share a process; case ids come through its
standard input, a line each. Importing it gives `found`, which runs it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from harness import catalogue, faults, frameworks
from harness.frameworks import Framework
from harness.layer import Layer, Mismatch
from harness.probes import parity
from harness.problem import Problem
from harness.types import Case

OK = "ok"
TIMEOUT_S = 400
"""The whole catalogue takes about a minute, on a core that nobody else has."""


def found(cases: Collection[Case], warnings: str = "error") -> dict[str, str]:
    """By case id: ``ok``, or what was said.

    It is one process for all of them, as importing a framework is much of its time.

    Args:
        cases: of one framework.
        warnings: what becomes of a `UserWarning`, as ``python -W`` has it.
    """
    (name,) = {case.framework for case in cases}
    settings = {
        **frameworks.get(name).environment(1, "latency"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-W", f"{warnings}::UserWarning", __file__],
        input="\n".join(case.id for case in cases),
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _said(framework: Framework, layer: Layer, case: Case) -> str:
    try:
        problem = Problem(case, layer, layer.builders[framework.builder])
        step = framework.prepare(problem)
        parity.check(problem, step.outcome(step.open()()))
    except (Mismatch, NotImplementedError) as error:
        return str(error)
    except Exception as error:
        return faults.told(error)
    return OK


def _main() -> None:
    cases = [Case.parse(line) for line in sys.stdin.read().splitlines()]
    (name,) = {case.framework for case in cases}
    framework, layers = frameworks.get(name), catalogue.load()
    framework.start("cpu", 1)
    print(json.dumps({case.id: _said(framework, layers[case.layer], case) for case in cases}))


if __name__ == "__main__":
    _main()
