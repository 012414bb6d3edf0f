"""In Keras on TensorFlow, each sub-quadratic layer is its reference, and so are its gradients."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from linear_attention_cases import CASES

if importlib.util.find_spec("keras") is None or importlib.util.find_spec("tensorflow") is None:
    pytest.skip("keras or tensorflow is not installed", allow_module_level=True)

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def verdicts() -> dict[str, str]:
    """One process for all layers: importing TensorFlow is most of its time."""
    settings = {
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": str(HERE.parents[1]),
    }
    done = subprocess.run(
        [sys.executable, HERE / "linear_attention_cases.py"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("name", CASES)
def test_keras_computes_the_reference_and_its_gradients(
    name: str, verdicts: dict[str, str]
) -> None:
    assert verdicts[name] == ""
