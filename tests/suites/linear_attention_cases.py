"""The sub-quadratic layers in small and awkward sizes; run as a program, what Keras makes of them.

A program of its own, since TensorFlow and torch never share a process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from harness import frameworks
from harness.layer import Layer
from harness.probes import parity
from harness.problem import Problem
from harness.types import Case, Value
from suites.linear_attention import (
    LINEAR_ATTENTION,
    LINFORMER_ATTENTION,
    NYSTROMFORMER_ATTENTION,
    PERFORMER_ATTENTION,
    RETENTION,
    SELECTIVE_STATE_SPACE,
)

HEADS: Mapping[str, Value] = {"heads": 2, "head_dim": 4}
ONE: Mapping[str, Value] = {"heads": 1, "head_dim": 4}
_CASES: tuple[tuple[Layer, Mapping[str, Value], int, int], ...] = (
    # Layer, parameters, batch, seq: of several chunks, odd, of one chunk, of one position.
    (LINFORMER_ATTENTION, {**HEADS, "rank": 3}, 2, 10),
    (LINFORMER_ATTENTION, {**ONE, "rank": 8}, 1, 5),  # more rows than positions
    *(
        (layer, {**heads, **features, "causal": causal}, batch, seq)
        for layer, features in ((LINEAR_ATTENTION, {}), (PERFORMER_ATTENTION, {"features": 6}))
        for causal in (False, True)
        for heads, batch, seq in ((HEADS, 2, 261), (ONE, 1, 256), (HEADS, 1, 7), (ONE, 1, 1))
    ),
    (NYSTROMFORMER_ATTENTION, {**HEADS, "landmarks": 4}, 2, 12),
    (NYSTROMFORMER_ATTENTION, {**HEADS, "landmarks": 4}, 1, 15),  # no multiple
    (NYSTROMFORMER_ATTENTION, {**ONE, "landmarks": 8}, 1, 5),  # more than positions
    (RETENTION, {**HEADS, "chunk": 4}, 2, 13),
    (RETENTION, {**HEADS, "chunk": 4}, 1, 16),
    (RETENTION, {**ONE, "chunk": 64}, 1, 9),  # longer than the sequence
    (RETENTION, {**ONE, "chunk": 1}, 1, 3),
    (SELECTIVE_STATE_SPACE, {**HEADS, "state": 3}, 2, 261),
    (SELECTIVE_STATE_SPACE, {**HEADS, "state": 3}, 1, 13),
    (SELECTIVE_STATE_SPACE, {**ONE, "state": 1}, 1, 1),
)


def _named(
    layer: Layer, params: Mapping[str, Value], batch: int, seq: int, dtype: str = "float32"
) -> tuple[str, Case]:
    sizes = (1, batch, seq, tuple(params.items()))
    case = Case(layer.name, "any", "cpu", "train", "eager", dtype, *sizes)
    return "-".join(map(str, (layer.name, *params.values(), batch, seq, dtype))), case


_LONG = {"heads": 1, "head_dim": 64, "causal": False}
"""In float16 the sum of this layer's features over 1,000 positions would be infinite."""
LAYERS = {layer.name: layer for layer, *_ in _CASES}
_NARROW = (
    *((layer, params, 2, 40) for layer, params in {c[0].name: c[:2] for c in _CASES}.values()),
    (LINEAR_ATTENTION, _LONG, 1, 1000),
)
CASES = dict(
    [
        *(_named(*case) for case in _CASES),
        *(_named(*case, dtype) for case in _NARROW for dtype in ("bfloat16", "float16")),
    ]
)
"""By name; each in training, where output and gradients are checked."""


def found(framework: str) -> dict[str, str]:
    """By case, what is wrong with the layer in that framework; empty if nothing is."""
    runner = frameworks.get(framework)
    runner.start("cpu", 1)
    verdicts = {}
    for name, case in CASES.items():
        layer = LAYERS[case.layer]
        problem = Problem(case, layer, layer.builders[runner.builder])
        step = runner.prepare(problem)
        try:
            parity.check(problem, step.outcome(step.open()()))
            verdicts[name] = ""
        except Exception as error:
            verdicts[name] = f"{type(error).__name__}: {error}"
    return verdicts


if __name__ == "__main__":
    print(json.dumps(found("tensorflow")))
