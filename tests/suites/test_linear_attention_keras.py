"""In Keras on TensorFlow, each sub-quadratic layer is its reference, and so are its gradients."""

from __future__ import annotations

import pytest
from checked import OK, found
from linear_attention_cases import cases

from harness import frameworks
from harness.types import Case

if not frameworks.installed("tensorflow"):
    pytest.skip("keras or tensorflow is not installed", allow_module_level=True)

CASES = list(cases("tensorflow"))


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    return found(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_keras_computes_the_reference_and_its_gradients(case: Case, said: dict[str, str]) -> None:
    assert said[case.id] == OK
