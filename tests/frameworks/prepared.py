"""Run by test_steps.py in a process of its own: what a prepared step does, as JSON.

Usage: python prepared.py FRAMEWORK
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np

from harness import catalogue, frameworks
from harness.layer import Layer
from harness.problem import Problem
from harness.types import Case

RATE = 0.25


def prepared(framework: Any, layer: Layer, mode: str, execution: str = "eager") -> Any:
    params = tuple(next(iter(layer.presets.values())).items())
    case = Case(layer.name, framework.name, "cpu", mode, execution, "float32", 1, 4, None, params)
    return framework.prepare(Problem(case, layer, layer.builders[framework.builder]))


def watched(layer: Layer, framework: Any) -> tuple[Layer, list[Any], list[dict[str, bool]]]:
    """The layer, with lists that fill with its modules and with what each Python call saw."""
    modules: list[Any] = []
    calls: list[dict[str, bool]] = []
    builder = layer.builders[framework.builder]

    def build(c: Any) -> Any:
        modules.append(builder.build(c))
        return modules[-1]

    def call(module: Any, c: Any, *inputs: Any) -> Any:
        seen = {}
        if framework.name == "torch":
            import torch

            seen["gradients"] = torch.is_grad_enabled()
        calls.append(seen)
        return builder.call(module, c, *inputs)

    changed = replace(builder, build=build, call=call)
    return replace(layer, builders={framework.builder: changed}), modules, calls


def kernel(framework: Any, module: Any) -> Any:
    if framework.name == "torch":
        return module[0].weight.detach().numpy().T.copy()
    return np.array(module.kernel)


def tf32(name: str) -> bool:
    if name == "torch":
        import torch

        return bool(
            torch.backends.fp32_precision != "ieee" or torch.backends.cuda.matmul.allow_tf32
        )
    import tensorflow as tf

    return bool(tf.config.experimental.tensor_float_32_execution_enabled())


def main(name: str) -> None:
    framework = frameworks.get(name)
    sys.modules[type(framework).__module__].LEARNING_RATE = RATE  # type: ignore[attr-defined]
    framework.start("cpu", 1)
    dense = catalogue.load()["dense"]
    found: dict[str, Any] = {"settings": dict(framework.settings()), "tf32": tf32(name)}

    layer, modules, calls = watched(dense, framework)
    step = prepared(framework, layer, "train")
    call = step.open()
    before = kernel(framework, modules[0])
    outcome = step.outcome(call())
    change = kernel(framework, modules[0]) - before
    (gradient,) = (
        g for n, g in outcome.weight_gradients.items() if n.endswith(("weight", "kernel"))
    )
    gradient = gradient.T if name == "torch" else gradient
    found["update_error"] = float(np.abs(change + RATE * gradient).max() / np.abs(change).max())
    found["gradients_in_training"] = [seen.get("gradients", True) for seen in calls]

    layer, modules, calls = watched(dense, framework)
    step = prepared(framework, layer, "forward")
    call = step.open()
    before = kernel(framework, modules[0])
    for _ in range(3):
        call()
    found["forward_change"] = float(np.abs(kernel(framework, modules[0]) - before).max())
    found["gradients_in_inference"] = [seen.get("gradients", False) for seen in calls]

    if name == "tensorflow":
        for mode in ("forward", "train"):
            layer, _, calls = watched(dense, framework)
            call = prepared(framework, layer, mode, "compiled").open()
            created = len(calls)
            for _ in range(5):
                call()
            found[f"traces_{mode}"] = len(calls) - created
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
