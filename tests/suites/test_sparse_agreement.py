"""Sparse attention is dense attention under its pattern, forward and in its gradients.

For lengths that are no multiple of a block, windows longer than the sequence, one batch and head.
"""

from __future__ import annotations

import functools

import pytest
from checked import OK, found
from sparse_cases import LAYERS, PARAMS, cases

from harness import frameworks
from harness.types import Case

CASES = {name: list(cases(name)) for name in ("torch", "tensorflow")}


@functools.cache
def said(framework: str) -> dict[str, str]:
    if not frameworks.installed(framework):
        pytest.skip(f"{framework} is not installed")
    return found(CASES[framework])


@pytest.mark.parametrize(
    "case", [case for of_one in CASES.values() for case in of_one], ids=lambda case: case.id
)
def test_a_sparse_layer_is_dense_attention_under_its_pattern(case: Case) -> None:
    assert said(case.framework)[case.id] == OK


def test_every_sparse_layer_is_looked_at() -> None:
    assert set(PARAMS) == set(LAYERS)
