"""In torch, attention that selects its keys passes the harness's own check."""

from __future__ import annotations

import shutil

import pytest
from checked import OK, found
from selected_cases import cases

from harness.layer import Config, Layer
from harness.types import Case
from suites.sparse_attention import (
    FLEX_BLOCK_SPARSE_ATTENTION,
    FLEX_DOCUMENT_ATTENTION,
    FLEX_WINDOW_ATTENTION,
    MOBA_ATTENTION,
    TOPK_ATTENTION,
)

torch = pytest.importorskip("torch", reason="torch is not installed")

FLEX = (FLEX_WINDOW_ATTENTION, FLEX_BLOCK_SPARSE_ATTENTION, FLEX_DOCUMENT_ATTENTION)


CASES = list(cases("torch"))


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    return found(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_output_and_gradients_are_the_references(case: Case, said: dict[str, str]) -> None:
    assert said[case.id] == OK


@pytest.mark.skipif(not shutil.which("g++"), reason="FlexAttention is compiled, which takes g++")
def test_flex_attention_is_dense_attention_under_its_pattern() -> None:
    layer = FLEX_DOCUMENT_ATTENTION
    c = Config(1, 300, False, {**layer.presets["textbook"], "causal": True})
    attend = layer.builders["torch"].build(c)
    drawn = {name: torch.randn(tensor.shape) for name, tensor in layer.inputs(c).items()}
    assert layer.reference is not None
    expected = layer.reference({k: v.double().numpy() for k, v in drawn.items()}, {}, c)
    torch.testing.assert_close(attend(*drawn.values()), torch.from_numpy(expected).float())


@pytest.mark.parametrize("layer", FLEX, ids=lambda layer: layer.name)
def test_flex_attention_in_training_on_the_cpu_is_refused_with_the_reason(layer: Layer) -> None:
    c = Config(1, 8, True, layer.presets["textbook"])
    attend = layer.builders["torch"].build(c)
    inputs = [torch.zeros(t.shape, requires_grad=True) for t in layer.inputs(c).values()]
    with pytest.raises(NotImplementedError, match="no backward pass on the CPU"):
        attend(*inputs)


@pytest.mark.parametrize("layer", [TOPK_ATTENTION, MOBA_ATTENTION], ids=lambda layer: layer.name)
def test_what_is_kept_for_the_backward_pass_grows_with_the_length_only(layer: Layer) -> None:
    def kept(seq: int) -> int:
        c = Config(1, seq, True, layer.presets["textbook"])
        inputs = [torch.randn(t.shape, requires_grad=True) for t in layer.inputs(c).values()]
        sizes: dict[int, int] = {}

        def note(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            sizes[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            layer.builders["torch"].build(c)(*inputs)
        return sum(sizes.values())

    assert kept(4096) < 2.5 * kept(2048)
