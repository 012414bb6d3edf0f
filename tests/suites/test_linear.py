"""The reference of the dense layer, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from harness.layer import Array, Config
from harness.types import UsageError
from suites.linear import DENSE

X = np.array([[1.0, 2.0], [0.0, -1.0]])
WEIGHTS = {"kernel": np.array([[1.0, 0.0, -1.0], [0.0, 1.0, -1.0]]), "bias": np.array([1.0, 0, 0])}
SUMS = np.array([[2.0, 2.0, -3.0], [1.0, -1.0, 1.0]])


def dense(activation: str) -> Array:
    params = {"in_features": 2, "out_features": 3, "activation": activation}
    assert DENSE.reference is not None
    return DENSE.reference({"x": X}, WEIGHTS, Config(2, 0, False, params))


def test_it_is_a_product_a_bias_and_an_activation() -> None:
    np.testing.assert_array_equal(dense("linear"), SUMS)
    np.testing.assert_array_equal(dense("relu"), [[2, 2, 0], [1, 0, 1]])
    np.testing.assert_array_equal(dense("tanh"), np.tanh(SUMS))


def test_gelu_is_the_exact_form() -> None:
    # 0.8413447 is the normal distribution function at 1; the tanh form would give 0.8411920.
    np.testing.assert_allclose(dense("gelu")[1], [0.84134475, -0.15865525, 0.84134475], atol=1e-8)


def test_an_unknown_activation_is_named_with_those_there_are() -> None:
    params = {"in_features": 2, "out_features": 3, "activation": "swish"}
    with pytest.raises(UsageError, match=r"'swish'; choose one of: linear, relu, tanh, gelu"):
        DENSE.inputs(Config(2, 0, False, params))
