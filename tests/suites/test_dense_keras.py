"""In Keras on TensorFlow, dense attention passes the harness's own check."""

from __future__ import annotations

import pytest
from checked import OK, found
from dense_cases import cases

from harness import frameworks
from harness.types import Case

if not frameworks.installed("tensorflow"):
    pytest.skip("keras or tensorflow is not installed", allow_module_level=True)

CASES = list(cases("tensorflow"))


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    return found(CASES, warnings="ignore")  # Keras warns of softmax over the only key there is


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_output_and_gradients_are_the_references(case: Case, said: dict[str, str]) -> None:
    assert said[case.id] == OK
