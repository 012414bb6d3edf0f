"""A prepared step does what its mode says, in the real frameworks."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness import frameworks

both = pytest.mark.parametrize("framework", ["torch", "tensorflow"])


@functools.cache
def found(framework: str) -> dict[str, Any]:
    """What `prepared.py` saw: one framework a process."""
    if not frameworks.installed(framework):
        pytest.skip(f"{framework} is not installed")
    script = Path(__file__).with_name("prepared.py")
    done = subprocess.run(
        [sys.executable, str(script), framework], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@both
def test_a_training_step_updates_the_weights_by_their_gradient(framework: str) -> None:
    assert found(framework)["update_error"] < 1e-5


@both
def test_inference_leaves_the_weights_alone(framework: str) -> None:
    assert found(framework)["forward_change"] == 0


def test_torch_records_no_graph_in_inference() -> None:
    answer = found("torch")
    assert answer["gradients_in_inference"] == [False] * 3
    assert all(answer["gradients_in_training"])


@pytest.mark.parametrize("mode", ["forward", "train"])
def test_a_tf_function_is_traced_once(mode: str) -> None:
    assert found("tensorflow")[f"traces_{mode}"] == 1


@both
def test_tf32_is_off_and_on_record(framework: str) -> None:
    assert found(framework)["tf32"] is False
    assert found(framework)["settings"]["tf32"] is False
