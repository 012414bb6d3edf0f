"""In Keras on TensorFlow, attention that selects its keys passes the harness's own check."""

from __future__ import annotations

import pytest
from checked import OK, found
from selected_cases import cases

from harness import frameworks
from harness.types import Case

if not frameworks.installed("tensorflow"):
    pytest.skip("keras or tensorflow is not installed", allow_module_level=True)


CASES = list(cases("tensorflow"))


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    return found(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_output_and_gradients_are_the_references(case: Case, said: dict[str, str]) -> None:
    assert said[case.id] == OK
