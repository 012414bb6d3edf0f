"""What is told of real calls: which way they went."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness import frameworks

LSTM = "lstm/{}/cpu/{}/{}/float32/b4-s{}-input_size=32-hidden_size=64"
GRU = "gru/torch/cpu/forward/eager/float32/b4-s8-input_size=32-hidden_size=64"
ATTENTION = "attention/torch/cpu/train/eager/float32/b4-s16-heads=1-head_dim=64"
MASKED = "masked_attention/torch/cpu/train/eager/float32/b16-width=64"
CONVERTS = "converts/{}/cpu/forward/{}/float32/b4-width=64"
CASES = {
    "torch": [
        *(LSTM.format("torch", "forward", "eager", 8), GRU, ATTENTION, MASKED),
        CONVERTS.format("torch", "eager"),
    ],
    "tensorflow": [
        LSTM.format("tensorflow", "forward", "compiled", 8),
        LSTM.format("tensorflow", "forward", "compiled", 16),
        LSTM.format("tensorflow", "train", "compiled", 8),
        LSTM.format("tensorflow", "forward", "compiled-xla", 8),
        CONVERTS.format("tensorflow", "eager"),
        CONVERTS.format("tensorflow", "compiled"),
    ],
}


@functools.cache
def explained(framework: str) -> dict[str, dict[str, Any]]:
    """What `explained.py` was told, by case: one framework a process."""
    if not frameworks.installed(framework):
        pytest.skip(f"{framework} is not installed")
    script = str(Path(__file__).with_name("explained.py"))
    command = [sys.executable, script, framework, *CASES[framework]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
    answers = json.loads(done.stdout.splitlines()[-1])
    return dict(zip(CASES[framework], answers, strict=True))


def test_torch_runs_a_whole_lstm_at_once_and_a_gru_step_by_step() -> None:
    told = explained("torch")
    lstm, gru = told[LSTM.format("torch", "forward", "eager", 8)], told[GRU]
    assert "step by step" not in lstm["execution_path"]
    assert "gru step by step" in gru["execution_path"]
    assert gru["operators"] > 8 * 10 > lstm["operators"]


def test_attention_that_falls_off_the_flash_kernel_says_so() -> None:
    told = explained("torch")
    assert "SDPA flash (CPU)" in told[ATTENTION]["execution_path"]
    assert "SDPA math" in told[MASKED]["execution_path"]
    assert "flash" not in told[MASKED]["execution_path"]


@pytest.mark.parametrize(
    ("framework", "execution"),
    [("torch", "eager"), ("tensorflow", "eager"), ("tensorflow", "compiled")],
)
def test_conversions_of_dtype_are_counted(framework: str, execution: str) -> None:
    assert explained(framework)[CONVERTS.format(framework, execution)]["conversions"] == 2


def test_a_tf_function_loops_over_as_many_steps_as_the_sequence_has() -> None:
    told = explained("tensorflow")
    short, long, train = (
        told[LSTM.format("tensorflow", mode, "compiled", steps)]
        for mode, steps in (("forward", 8), ("forward", 16), ("train", 8))
    )
    assert short["execution_path"].startswith("while loop of 8 steps")
    assert long["execution_path"].startswith("while loop of 16 steps")
    assert train["execution_path"].startswith("2 while loops of 8 steps")
    a_step = (long["operators"] - short["operators"]) / 8
    assert a_step > 10  # the cheap ones too
    assert short["operators"] < 9 * a_step + 20


def test_xla_is_told_and_hides_conversions() -> None:
    told = explained("tensorflow")[LSTM.format("tensorflow", "forward", "compiled-xla", 8)]
    assert re.match("XLA, while loop", told["execution_path"])
    assert told["conversions"] is None
