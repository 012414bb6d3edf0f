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
DENSE = "dense/torch/cpu/train/eager/float32/b16-in_features=64-out_features=64-activation=relu"
SIMPLE = "{}/{}/cpu/{}/{}/{}/b16-width=64"
N = 16 * 64 * 4
"""Bytes of the input, output and each gradient of a simple layer."""
CONVERTS = "converts/{}/cpu/forward/{}/float32/b4-width=64"
CASES = {
    "torch": [
        *(LSTM.format("torch", "forward", "eager", 8), GRU, ATTENTION, MASKED),
        *(CONVERTS.format("torch", "eager"), DENSE),
        SIMPLE.format("tanh_twice", "torch", "train", "eager", "bfloat16"),
        *(LSTM.format("torch", "backward", execution, 8) for execution in ("eager", "compiled")),
        *(
            SIMPLE.format(layer, "torch", "train", "eager", "float32")
            for layer in ("relu_once", "square")
        ),
        *(
            SIMPLE.format("tanh_twice", "torch", mode, execution, "float32")
            for mode in ("forward", "backward", "train")
            for execution in ("eager", "compiled")
        ),
    ],
    "tensorflow": [
        LSTM.format("tensorflow", "forward", "compiled", 8),
        LSTM.format("tensorflow", "forward", "compiled", 16),
        LSTM.format("tensorflow", "train", "compiled", 8),
        LSTM.format("tensorflow", "forward", "compiled-xla", 8),
        CONVERTS.format("tensorflow", "eager"),
        CONVERTS.format("tensorflow", "compiled"),
        *(
            SIMPLE.format("tanh_twice", "tensorflow", mode, "eager", "float32")
            for mode in ("forward", "train")
        ),
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


def held(framework: str, layer: str, mode: str, execution: str = "eager") -> list[Any]:
    """Of a simple layer at its peak: inputs, outputs, saved, workspace; in units of its input."""
    told = explained(framework)[SIMPLE.format(layer, framework, mode, execution, "float32")]
    parts = (told[f"{part}_bytes"] for part in ("input", "output", "saved", "workspace"))
    return [part if part is None else part / N for part in parts]


def test_inference_saves_nothing() -> None:
    # The inner tanh lives until the outer one is done.
    assert held("torch", "tanh_twice", "forward") == [1, 1, 0, 1]


@pytest.mark.parametrize("mode", ["backward", "train"])
def test_what_only_the_backward_pass_needs_is_saved(mode: str) -> None:
    # Inputs: x and the upstream gradient. Outputs: y and the gradient of x. Saved: the inner tanh.
    # Workspace: its gradient.
    assert held("torch", "tanh_twice", mode) == [2, 2, 1, 1]


def test_the_upstream_gradient_is_an_input_in_any_dtype() -> None:
    # In bfloat16 it is converted on the way to the device, where the profiler would see it.
    told = explained("torch")[SIMPLE.format("tanh_twice", "torch", "train", "eager", "bfloat16")]
    parts = [told[f"{part}_bytes"] * 2 / N for part in ("input", "output", "saved", "workspace")]
    assert parts == [2, 2, 1, 1]


@pytest.mark.parametrize("layer", ["relu_once", "square"])
def test_an_output_or_input_that_the_backward_pass_needs_too_is_not_saved_twice(
    layer: str,
) -> None:
    # relu keeps its output, a product its operands.
    inputs, outputs, saved, _ = held("torch", layer, "train")
    assert (inputs, outputs, saved) == (2, 2, 0)


def test_a_dense_layer_saves_weights_input_and_output_and_so_nothing_more() -> None:
    told = explained("torch")[DENSE]
    weights = (64 * 64 + 64) * 4
    assert told["parameter_bytes"] == weights
    assert told["input_bytes"] == 2 * N
    assert told["saved_bytes"] == 0
    assert told["output_bytes"] == N + N + weights  # the output, and every gradient
    assert told["workspace_bytes"] == N  # the gradient before the activation


def test_a_compiled_layer_keeps_less_than_an_eager_one() -> None:
    assert held("torch", "tanh_twice", "forward", "compiled") == [1, 1, 0, 0]
    _, outputs, saved, workspace = held("torch", "tanh_twice", "train", "compiled")
    assert outputs == 2
    assert saved + workspace < 2


def test_a_graph_that_the_compiler_breaks_saves_what_the_eager_one_does() -> None:
    told = explained("torch")
    eager, compiled = (
        told[LSTM.format("torch", "backward", execution, 8)] for execution in ("eager", "compiled")
    )
    assert eager["saved_bytes"] > 10 * eager["input_bytes"]
    assert compiled["saved_bytes"] == pytest.approx(eager["saved_bytes"], rel=0.1)


def test_tensorflow_tells_what_it_can() -> None:
    assert held("tensorflow", "tanh_twice", "forward") == [1, 1, 0, None]
    assert held("tensorflow", "tanh_twice", "train") == [2, 2, None, None]
