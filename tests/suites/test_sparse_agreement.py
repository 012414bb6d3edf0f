"""Sparse attention is dense attention under its pattern, forward and in its gradients.

For lengths that are no multiple of a block, windows longer than the sequence, one batch and head.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sparse_parity import LAYERS, PARAMS, case_names

from harness import frameworks


@functools.cache
def said(framework: str) -> dict[str, str]:
    """One process for all cases: importing a framework is most of its time."""
    if not frameworks.installed(framework):
        pytest.skip(f"{framework} is not installed")
    here = Path(__file__).parent
    settings = {
        **frameworks.get(framework).environment(1, "latency"),
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": str(here.parents[1]),
    }
    done = subprocess.run(
        [sys.executable, here / "sparse_parity.py", framework],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.parametrize(
    ("framework", "case"),
    [(framework, case) for framework in ("torch", "tensorflow") for case in case_names(framework)],
)
def test_a_sparse_layer_is_dense_attention_under_its_pattern(framework: str, case: str) -> None:
    assert said(framework)[case] == ""


def test_every_sparse_layer_is_looked_at() -> None:
    assert set(PARAMS) == set(LAYERS)
