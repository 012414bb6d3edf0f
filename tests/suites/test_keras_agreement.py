"""In Keras on TensorFlow, in float32, each layer is its reference, and so are its gradients."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from agreement import right, wrong

if importlib.util.find_spec("keras") is None or importlib.util.find_spec("tensorflow") is None:
    pytest.skip("keras or tensorflow is not installed", allow_module_level=True)

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """One process for all layers: importing TensorFlow is most of its time."""
    settings = {
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": str(HERE.parents[1]),
    }
    done = subprocess.run(
        [sys.executable, HERE / "keras_agreement.py"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("name", right("keras"))
def test_keras_computes_the_reference_and_its_gradients(name: str, found: dict[str, Any]) -> None:
    deviations = found["right"][name]
    assert deviations == pytest.approx(dict.fromkeys(deviations, 0), abs=1e-5)


@pytest.mark.parametrize("name", wrong("keras"))
def test_a_keras_layer_that_is_set_up_wrongly_shows(name: str, found: dict[str, Any]) -> None:
    assert found["wrong"][name]["output"] > 1e-4


def test_keras_moves_running_statistics_by_a_tenth(found: dict[str, Any]) -> None:
    assert found["moving statistics"] < 1e-6


def test_keras_dropout_passes_the_check_of_its_distribution(found: dict[str, Any]) -> None:
    assert found["dropout"] < 1e-6
