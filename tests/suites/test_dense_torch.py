"""In torch, dense attention passes the harness's own check, and a forced kernel is what runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from checked import OK, found
from dense_cases import HEADS, cases

from harness.layer import Config, Layer
from harness.types import Case
from suites.attention import (
    ATTENTION_PLAIN,
    GROUPED_QUERY_ATTENTION,
    SDPA_CUDNN,
    SDPA_EFFICIENT,
    SDPA_FLASH,
    SDPA_MATH,
)

torch = pytest.importorskip("torch", reason="torch is not installed")

CASES = list(cases("torch"))
LACKING = {"sdpa_efficient": "efficient", "sdpa_cudnn": "cudnn"}
"""What the CPU has no kernel for."""
FLASH = "aten::_scaled_dot_product_flash_attention_for_cpu"
MATH = "aten::_scaled_dot_product_attention_math"


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    return found(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_output_and_gradients_are_the_references(case: Case, said: dict[str, str]) -> None:
    kernel = LACKING.get(case.layer)
    if kernel is None:
        assert said[case.id] == OK
    else:
        assert said[case.id].startswith(
            f"scaled_dot_product_attention has no {kernel} kernel for {case.dtype} on cpu"
        )
        masked = said[case.id].endswith(", with a mask")
        assert masked == (dict(case.params)["padding"] > 0 and case.seq > 3)


def build(layer: Layer, **params: Any) -> Callable[..., Any]:
    known = {name: HEADS.get(name, value) for name, value in layer.presets["textbook"].items()}
    attend: Callable[..., Any] = layer.builders["torch"].build(
        Config(2, 33, False, {**known, **params})
    )
    return attend


def tensors() -> list[Any]:
    return [torch.randn(2, 4, 33, 8) for _ in range(3)]


def operators(attend: Callable[..., Any], inputs: list[Any]) -> set[str]:
    """What a call runs, by torch's own names."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        attend(*inputs)
    return {event.name for event in profile.events()}


def switches() -> tuple[bool, ...]:
    cuda = torch.backends.cuda
    return (
        cuda.math_sdp_enabled(),
        cuda.flash_sdp_enabled(),
        cuda.mem_efficient_sdp_enabled(),
        cuda.cudnn_sdp_enabled(),
    )


MASKS = [{"causal": causal, "padding": padding} for causal in (False, True) for padding in (0, 0.3)]


@pytest.mark.parametrize("params", MASKS, ids=str)
def test_the_forced_kernel_is_the_one_that_runs(params: dict[str, Any]) -> None:
    for layer, runs, rests in ((SDPA_FLASH, FLASH, MATH), (SDPA_MATH, MATH, FLASH)):
        ran = operators(build(layer, **params), tensors())
        assert runs in ran
        assert rests not in ran
    assert not {FLASH, MATH} & operators(build(ATTENTION_PLAIN, **params), tensors())


def test_grouped_heads_go_through_the_fused_kernel() -> None:
    query, key, value = tensors()
    grouped = build(GROUPED_QUERY_ATTENTION, kv_heads=2)
    assert FLASH in operators(grouped, [query, key[:, :2], value[:, :2]])


def test_a_forced_kernel_is_forced_for_its_own_call_only() -> None:
    before = switches()
    assert all(before)
    for layer in (SDPA_FLASH, SDPA_MATH):
        build(layer)(*tensors())
        assert switches() == before
    for layer in (SDPA_EFFICIENT, SDPA_CUDNN):
        with pytest.raises(NotImplementedError):
            build(layer)(*tensors())
        assert switches() == before


def test_an_error_that_is_not_the_kernels_stays_what_it_is() -> None:
    query, key, value = tensors()
    with pytest.raises(RuntimeError, match="same dtype") as error:
        build(SDPA_FLASH)(query, key, value.double())
    assert not isinstance(error.value, NotImplementedError)


def compiled(layer: Layer, **params: Any) -> Callable[..., Any]:
    torch.compiler.reset()
    function: Callable[..., Any] = torch.compile(build(layer, **params), dynamic=False)
    return function


def test_compiled_the_forced_kernel_still_runs() -> None:
    attend, inputs = compiled(SDPA_FLASH, padding=0.3), tensors()
    attend(*inputs)
    assert FLASH in operators(attend, inputs)


@pytest.mark.parametrize("layer", [ATTENTION_PLAIN, SDPA_MATH], ids=lambda layer: layer.name)
def test_compiled_what_writes_its_scores_out_is_not_fused(layer: Layer) -> None:
    attend, inputs = compiled(layer), tensors()
    attend(*inputs)
    ran = operators(attend, inputs)
    assert FLASH not in ran
    assert "aten::bmm" in ran


def test_compiled_a_kernel_that_is_not_there_says_so() -> None:
    with pytest.raises(NotImplementedError, match="no efficient kernel for float32 on cpu"):
        compiled(SDPA_EFFICIENT)(*tensors())
