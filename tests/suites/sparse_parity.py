"""Prints, as JSON, what the check of every run says of each sparse layer in one framework.

Usage: python sparse_parity.py FRAMEWORK

A program of its own, since TensorFlow and torch never share a process.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from harness import frameworks
from harness.layer import Layer, Mismatch
from harness.probes import parity
from harness.problem import Problem
from harness.types import Case, Value
from suites.sparse_attention import blocks, windows

SHAPES = ((1, 1, 1), (1, 1, 37), (2, 3, 130), (2, 1, 201))
"""Batch, heads, length: not a multiple of any block, and longer than a chunk of a window."""

PARAMS: Mapping[str, tuple[Mapping[str, Value], ...]] = {
    "sliding_window_attention": ({"window": 0}, {"window": 5}, {"window": 300}),
    "dilated_attention": (
        {"window": 2, "dilation": 3},
        {"window": 7, "dilation": 1},
        {"window": 3, "dilation": 70},
    ),
    "strided_attention": ({"stride": 1}, {"stride": 9}, {"stride": 150}),
    "longformer_attention": (
        {"window": 4, "globals": 3},
        {"window": 0, "globals": 1},
        {"window": 9, "globals": 250},
    ),
    "block_sparse_attention": (
        {"block": 8, "blocks": 3},
        {"block": 16, "blocks": 1},
        {"block": 64, "blocks": 9},
    ),
    "bigbird_attention": (
        {"block": 8, "global_blocks": 1, "window_blocks": 3, "random_blocks": 2},
        {"block": 5, "global_blocks": 0, "window_blocks": 1, "random_blocks": 4},
        {"block": 64, "global_blocks": 2, "window_blocks": 3, "random_blocks": 3},
    ),
}
LAYERS: dict[str, Layer] = {
    layer.name: layer
    for module in (blocks, windows)
    for layer in vars(module).values()
    if isinstance(layer, Layer)
}
"""Those of a fixed structure."""


def case_names(framework: str) -> Iterator[str]:
    """Every layer with each of its parameters, causal and not, in each shape.

    TensorFlow, which takes ten times as long for them, has all shapes for the first parameters.
    """
    for name, sets in PARAMS.items():
        for params in sets:
            every = framework == "torch" or params is sets[0]
            for causal in (False, True):
                for shape in SHAPES if every else SHAPES[1:3]:
                    yield _case(name, framework, params, causal, shape).id
        held = (sets[0], True, SHAPES[2])
        yield _case(name, framework, *held, mode="forward").id
        yield _case(name, framework, *held, dtype="bfloat16").id
        if framework == "tensorflow":
            yield _case(name, framework, *held, execution="compiled").id


def _case(
    name: str,
    framework: str,
    params: Mapping[str, Value],
    causal: bool,
    shape: tuple[int, int, int],
    mode: str = "train",
    execution: str = "eager",
    dtype: str = "float32",
) -> Case:
    batch, heads, seq = shape
    given = {"heads": heads, "head_dim": 8, "causal": causal, **params}
    where = (name, framework, "cpu", mode, execution, dtype)
    return Case(*where, 1, batch, seq, tuple(given.items()))


def said(framework: Any, case: Case) -> str:
    """What the check complains of, if anything."""
    layer = LAYERS[case.layer]
    problem = Problem(case, layer, layer.builders[framework.builder])
    step = framework.prepare(problem)
    try:
        parity.check(problem, step.outcome(step.open()()))
    except Mismatch as mismatch:
        return str(mismatch)
    return ""


def main(name: str) -> None:
    framework = frameworks.get(name)
    framework.start("cpu", 1)
    print(json.dumps({case: said(framework, Case.parse(case)) for case in case_names(name)}))


if __name__ == "__main__":
    main(sys.argv[1])
