"""Which way a call of torch went, from events and library output written by hand."""

from __future__ import annotations

import pytest

from harness.profilers import Execution, Operation, Trace, torch

ONEDNN = "onednn_verbose,v1,primitive,exec,cpu,{},src:f32::blocked:abc::f0,attr-scratchpad:user,,,1"
MKL = "MKL_VERBOSE SGEMM(T,N,64,32,32,0x7ffd,0x5607,32) 8.64us CNR:OFF Dyn:0 FastMM:1 TID:0  NThr:1"


def judged(
    *names: str, kernels: tuple[str, ...] = (), device: str = "cpu", said: str = ""
) -> Execution:
    host = tuple(Operation(name, 1, 0.0, 1.0) for name in names)
    on_device = tuple(Operation(name, -8, 0.0, 1.0, is_kernel=True) for name in kernels)
    return torch.judge(Trace((*host, *on_device)), device, said)


@pytest.mark.parametrize(
    ("names", "path"),
    [
        (["aten::_scaled_dot_product_flash_attention_for_cpu"], "SDPA flash (CPU)"),
        (["aten::_scaled_dot_product_flash_attention_for_cpu_backward"], "ATen operators"),
        (["aten::_scaled_dot_product_attention_math"], "SDPA math"),
        (["aten::lstm", "aten::addmm", "aten::addmm"], "lstm step by step"),
        (["aten::lstm", "aten::_cudnn_rnn"], "cuDNN RNN"),
        (["aten::gru", "aten::_thnn_fused_gru_cell"], "step by step, fused cells"),
        (["aten::native_layer_norm"], "native layer norm"),
        (
            ["## Call CompiledFxGraph f7 ##", "aten::native_layer_norm"],
            "Inductor, native layer norm",
        ),
        (["aten::add", "aten::mul"], "ATen operators"),
    ],
)
def test_the_path_names_what_chose_an_implementation(names: list[str], path: str) -> None:
    assert judged(*names).execution_path == path


def test_a_layer_within_onednn_is_no_longer_step_by_step() -> None:
    fused = ONEDNN.format("rnn,brgemm:avx512_core,forward_inference")
    assert judged("aten::lstm", "aten::mkldnn_rnn_layer", said=fused).execution_path == (
        "oneDNN rnn (brgemm)"
    )
    assert judged("aten::lstm", "aten::linear", said=MKL).execution_path == (
        "lstm step by step, MKL sgemm"
    )


def test_the_slow_implementation_of_onednn_shows_and_the_way_of_the_pass() -> None:
    said = "\n".join(
        [
            "onednn_verbose,v1,info,oneDNN v3.12.0 (commit 80afa71)",
            ONEDNN.format("reorder,jit:uni,undef"),
            ONEDNN.format("rnn,ref,forward_training"),
            ONEDNN.format("rnn,ref,backward"),
            ONEDNN.format("rnn,ref,backward"),
        ]
    )
    path = judged("aten::mkldnn_rnn_layer", said=said).execution_path
    assert path == "oneDNN rnn (ref), oneDNN rnn backward (ref)"


def test_products_on_a_gpu_are_cublas_and_its_kernels_are_counted() -> None:
    kernels = ("sm90_xmma_gemm_f32f32", "Memcpy HtoD", "elementwise_kernel", "Memset (Device)")
    found = judged("aten::addmm", kernels=kernels, device="cuda")
    assert (found.execution_path, found.kernels) == ("cuBLAS", 2)
    assert judged("aten::addmm").kernels is None


def test_operators_and_conversions_are_counted_and_what_wraps_them_is_not() -> None:
    names = ("aten::to", "aten::_to_copy", "aten::copy_", "autograd::engine::evaluate_function: X")
    found = judged(*names, "aten::_to_copy", "AddmmBackward0", "TorchDynamo Cache Lookup")
    assert (found.operators, found.conversions) == (4, 2)


def test_conversions_within_generated_code_cannot_be_told() -> None:
    assert judged("## Call CompiledFxGraph f7 ##", "aten::_to_copy").conversions is None
