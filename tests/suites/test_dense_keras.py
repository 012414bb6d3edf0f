"""In Keras on TensorFlow, dense attention passes the harness's own check, or says what it lacks."""

from __future__ import annotations

import pytest
from dense_parity import cases, found

from harness import frameworks
from harness.types import Case

if not frameworks.installed("tensorflow"):
    pytest.skip("keras or tensorflow is not installed", allow_module_level=True)

CASES = list(cases("tensorflow"))
LACKING = {
    "sdpa_flash": "keras.ops.dot_product_attention has no flash_attention on TensorFlow",
    "sdpa_efficient": "Keras offers no memory-efficient attention kernel",
    "sdpa_cudnn": "Keras offers no choice of cuDNN's attention kernel on TensorFlow",
}


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """One process for all cases: importing TensorFlow is much of its time."""
    return found("tensorflow")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_output_and_gradients_are_the_references(case: Case, said: dict[str, str]) -> None:
    assert said[case.id] == LACKING.get(case.layer, "ok")
