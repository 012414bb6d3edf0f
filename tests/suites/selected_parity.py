"""Prints, as JSON, what the harness finds of attention that selects its keys in a framework.

A program of its own, since TensorFlow and torch never share a process. Importing it gives its
cases, and `found` runs it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness import frameworks
from harness.layer import Layer, Mismatch
from harness.probes import parity
from harness.problem import Problem
from harness.types import Case, Value
from suites.sparse_attention import (
    LSH_ATTENTION,
    MOBA_ATTENTION,
    NATIVE_SPARSE_ATTENTION,
    TOPK_ATTENTION,
)

OWN: Mapping[str, Mapping[str, Value]] = {
    "topk_attention": {"k": 5},
    "lsh_attention": {"buckets": 4, "rounds": 2, "chunk": 8},
    "moba_attention": {"block": 8, "k": 3},
    "native_sparse_attention": {"block": 8, "k": 3, "window": 5},
}
SELECTED = (TOPK_ATTENTION, LSH_ATTENTION, MOBA_ATTENTION, NATIVE_SPARSE_ATTENTION)
SIZES = ((1, 1, 1), (1, 2, 7), (2, 3, 61))
"""(batch, heads, seq): shorter than a block, and with a last block that is shorter."""
WHOLE_BLOCKS = (1, 1, 40)


def cases(framework: str) -> Iterator[Case]:
    """All sizes with gradients, causal and not; then each once in bfloat16, and in whole blocks."""
    execution = "compiled-xla" if framework == "tensorflow" else "eager"

    def case(
        layer: Layer,
        causal: bool,
        sizes: tuple[int, int, int],
        execution: str = "eager",
        dtype: str = "float32",
        mode: str = "train",
    ) -> Case:
        batch, heads, seq = sizes
        params = {"heads": heads, "head_dim": 8, "causal": causal, **OWN[layer.name]}
        where = (layer.name, framework, "cpu", mode, execution, dtype)
        return Case(*where, 1, batch, seq, tuple(params.items()))

    for layer in SELECTED:
        for causal in (False, True):
            for sizes in SIZES:
                yield case(layer, causal, sizes)
        yield case(layer, True, SIZES[-1], dtype="bfloat16")
        yield case(layer, True, WHOLE_BLOCKS, execution=execution, mode="forward")


def found(framework: str) -> dict[str, str]:
    """By case id: ``ok``, or what was said."""
    settings = {
        **frameworks.get(framework).environment(1, "latency"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", __file__, framework],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def _main(name: str) -> None:
    framework = frameworks.get(name)
    framework.start("cpu", 1)
    layers = {layer.name: layer for layer in SELECTED}
    said = {}
    for case in cases(name):
        layer = layers[case.layer]
        problem = Problem(case, layer, layer.builders[framework.builder])
        step = framework.prepare(problem)
        try:
            parity.check(problem, step.outcome(step.open()()))
            said[case.id] = "ok"
        except Mismatch as error:
            said[case.id] = str(error)
    print(json.dumps(said))


if __name__ == "__main__":
    _main(sys.argv[1])
