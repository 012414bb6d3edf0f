"""In torch, each sub-quadratic layer is its reference, and so are its gradients."""

from __future__ import annotations

import pytest
from checked import OK, found
from linear_attention_cases import LAYERS, cases

from harness.types import Case

torch = pytest.importorskip("torch", reason="torch is not installed")


CASES = list(cases("torch"))


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    return found(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_torch_computes_the_reference_and_its_gradients(case: Case, said: dict[str, str]) -> None:
    assert said[case.id] == OK


@pytest.mark.parametrize(
    "name", ["linear_attention", "performer_attention", "retention", "selective_state_space"]
)
def test_a_layer_of_chunks_compiles_in_one_graph(name: str) -> None:
    """Traced only: what the compiler makes of it takes minutes, and is its own."""
    case = next(c for c in CASES if c.layer == name and dict(c.params).get("causal", True))
    assert traced(case) == 1


def traced(case: Case) -> int:
    """Graphs that a call becomes."""
    from harness.layer import Config

    layer, config = LAYERS[case.layer], Config.of(case)
    module = layer.builders["torch"].build(config)
    inputs = [torch.randn(t.shape, requires_grad=True) for t in layer.inputs(config).values()]
    torch.compiler.reset()
    explained = torch._dynamo.explain(module)(*inputs)
    return int(explained.graph_count)
