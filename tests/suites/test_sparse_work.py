"""Sparse attention does less work: operations and tensors grow as the pattern does."""

from __future__ import annotations

from typing import Any

import pytest
import sparse_cases

from harness.layer import Config, Layer
from suites.sparse_attention import MOBA_ATTENTION, blocks, chunked_torch, windows
from suites.sparse_attention.plans import window_plan

torch = pytest.importorskip("torch", reason="torch is not installed")

LAYERS = list(sparse_cases.LAYERS.values())
each = pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)


def work(layer: Layer, seq: int, **params: Any) -> tuple[int, int]:
    """(operations of products, elements of the largest tensor), without values behind them."""
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves
    from torch.utils.flop_counter import FlopCounterMode

    class Largest(TorchDispatchMode):
        elements = 0

        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            found = func(*args, **(kwargs or {}))
            for tensor in tree_leaves(found):
                if isinstance(tensor, torch.Tensor):
                    self.elements = max(self.elements, tensor.numel())
            return found

    c = Config(1, seq, True, {**layer.presets["textbook"], **params})
    run = layer.builders["torch"].build(c)
    shape = (1, c.heads, seq, c.head_dim)
    inputs = [torch.empty(shape, device="meta", requires_grad=True) for _ in range(3)]
    with FlopCounterMode(display=False) as counter, Largest() as largest:
        output = run(*inputs)
        torch.autograd.grad(output, inputs, torch.empty_like(output))
    return counter.get_total_flops(), largest.elements


@each
def test_work_and_tensors_grow_with_the_length_and_not_with_its_square(layer: Layer) -> None:
    if layer.name == "strided_attention":  # n^(3/2) at the stride that the paper recommends, √n
        (flops, elements), (more, larger) = (
            work(layer, 1024, stride=32),
            work(layer, 4096, stride=64),
        )
        growth = 8
    else:
        (flops, elements), (more, larger) = work(layer, 1024), work(layer, 4096)
        growth = 4
    assert more / flops < 1.15 * growth
    assert larger / elements < 1.15 * growth


@each
@pytest.mark.parametrize("causal", [False, True])
def test_little_is_computed_that_the_pattern_does_not_have(layer: Layer, causal: bool) -> None:
    params = {**layer.presets["bert_like"], "causal": causal}
    flops, _ = work(layer, 4096, **params)
    assert layer.products is not None
    useful = 3 * layer.products(Config(1, 4096, True, params))
    assert useful <= flops < 2.1 * useful


@pytest.mark.parametrize(
    ("layer", "params"),
    [
        (windows.STRIDED_ATTENTION, {"stride": 5000}),
        (windows.DILATED_ATTENTION, {"dilation": 5000}),
        (blocks.BLOCK_SPARSE_ATTENTION, {"block": 5000}),
        (blocks.BIGBIRD_ATTENTION, {"block": 5000}),
        (MOBA_ATTENTION, {"block": 5000}),
    ],
    ids=lambda value: value.name if isinstance(value, Layer) else "",
)
def test_a_parameter_beyond_the_length_costs_no_more_than_one_of_the_length(
    layer: Layer, params: dict[str, int]
) -> None:
    of_the_length = dict.fromkeys(params, 37)
    assert work(layer, 37, **params) == work(layer, 37, **of_the_length)


def test_a_lone_window_is_not_copied() -> None:
    key = torch.randn(2, 2048, 64)
    _, middle, _ = window_plan(2048, 256, causal=False)
    windows = chunked_torch._of_chunks(key, middle, None)
    assert windows.shape == (2, middle.count, middle.size + 512, 64)
    assert windows.untyped_storage().data_ptr() == key.untyped_storage().data_ptr()


@pytest.mark.parametrize(
    "layer", [layer for layer in LAYERS if layer.name != "strided_attention"],
    ids=lambda layer: layer.name,
)  # fmt: skip
@pytest.mark.parametrize("causal", [False, True])
def test_chunks_go_through_the_fused_kernel(layer: Layer, causal: bool) -> None:
    """A mask of three axes or values of another width would silently be computed in the open."""
    params = {**layer.presets["textbook"], "causal": causal}
    module = layer.builders["torch"].build(Config(1, 515, True, params))
    inputs = [torch.randn(1, 2, 515, 16, requires_grad=True) for _ in range(3)]
    with torch.profiler.profile() as seen:
        module(*inputs).sum().backward()
    names = {event.key for event in seen.key_averages()}
    assert "aten::_scaled_dot_product_flash_attention_for_cpu_backward" in names
    assert "aten::_softmax" not in names
