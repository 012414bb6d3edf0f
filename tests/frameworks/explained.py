"""Run by test_explained.py in a process of its own: what is told of real calls, as JSON.

Usage: python explained.py FRAMEWORK CASE...
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

from harness import catalogue, frameworks
from harness.problem import Problem
from harness.types import Case


def explained(framework: Any, case: Case, layers: Any) -> dict[str, Any]:
    layer = layers[case.layer]
    step = framework.prepare(Problem(case, layer, layer.builders[framework.builder]))
    call = step.open()
    for _ in range(20):  # as often as it takes TensorFlow to find operations cheap
        call()
    parts = framework.parts(step)
    return {
        **dataclasses.asdict(framework.execution(step.open())),
        **dataclasses.asdict(parts),
        "workspace_bytes": parts.workspace_bytes,
        "parameter_bytes": step.parameter_bytes,
        "input_bytes": step.input_bytes,
    }


def main(name: str, cases: list[str]) -> None:
    framework = frameworks.get(name)
    os.environ.update(framework.environment(1, "memory"))
    framework.start("cpu", 1)
    layers = catalogue.load([str(Path(__file__).with_name("explained_suite.py"))])
    print(json.dumps([explained(framework, Case.parse(case), layers) for case in cases]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
