"""Which way a call of TensorFlow went, from operations written by hand."""

from __future__ import annotations

import pytest

from harness.profilers import Execution, Operation, Trace, tensorflow

BODY = "lstm_1/while/body/_1/lstm_1/while/"
GRADIENT = "gradient_tape/lstm_1/while/lstm_1/while_grad/body/_9/gradient_tape/lstm_1/while/"


def judged(*operations: tuple[str, str], device: str = "cpu", kernels: int = 0) -> Execution:
    host = [Operation(name, 1, 0.0, 1.0, node) for name, node in operations]
    on_device = [Operation("kernel", 2, 0.0, 1.0, is_kernel=True)] * kernels
    return tensorflow.judge(Trace((*host, *on_device)), device)


@pytest.mark.parametrize(
    ("operations", "path"),
    [
        ([("MatMul", ""), ("MatMul", ""), ("Relu", "")], "MatMul"),
        ([("_MklNativeFusedMatMul", "a")], "oneDNN fused MatMul"),
        ([("_MklMatMul", "a"), ("_MklTranspose", "b")], "oneDNN MatMul"),
        ([("_FusedMatMul", "a")], "fused MatMul"),
        ([("CudnnRNNV3", "a"), ("CudnnRNNBackpropV3", "b")], "cuDNN RNN"),
        ([("MatMul_1", "XLA"), ("while", "XLA")], "XLA, while loop"),
        ([("Relu", "a")], "TensorFlow ops"),
    ],
)
def test_the_path_names_what_did_the_work(operations: list[tuple[str, str]], path: str) -> None:
    assert judged(*operations).execution_path == path


def test_steps_of_a_loop_are_counted() -> None:
    steps = [("Mul", f"{BODY}mul")] * 16 + [("Less", "lstm_1/while/cond/_0/less")] * 17
    assert judged(*steps).execution_path == "while loop of 16 steps"
    both = [*steps, *[("Mul", f"{GRADIENT}mul")] * 16]
    assert judged(*both).execution_path == "2 while loops of 16 steps"


def test_the_order_in_which_a_graph_runs_makes_no_difference() -> None:
    products = [("_MklMatMul", "a"), ("_MklNativeFusedMatMul", "b")]
    assert judged(*products).execution_path == judged(*reversed(products)).execution_path


def test_casts_are_conversions_and_xla_hides_them() -> None:
    assert judged(("Cast", "a"), ("Cast", ""), ("Mul", "b")).conversions == 2
    assert judged(("multiply_fusion", "XLA")).conversions is None


def test_kernels_are_counted_on_a_gpu_only() -> None:
    found = judged(("MatMul", ""), device="cuda", kernels=3)
    assert (found.kernels, found.operators) == (3, 1)
    assert judged(("MatMul", "")).kernels is None
