"""References of activations against SciPy, and what is known of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

from harness import catalogue
from harness.layer import Array, Config

LAYERS = catalogue.load()
X = np.random.default_rng(0).standard_normal((3, 10)) * 3


def reference(name: str, x: Array = X, **params: Any) -> Array:
    layer = LAYERS[name]
    assert layer.reference is not None
    return layer.reference({"x": x}, {}, Config(len(x), None, False, params))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sigmoid", special.expit(X)),
        ("log_sigmoid", special.log_expit(X)),
        ("softmax", special.softmax(X, axis=-1)),
        ("log_softmax", special.log_softmax(X, axis=-1)),
        ("softplus", special.logsumexp([X, np.zeros_like(X)], axis=0)),
        ("silu", X * special.expit(X)),
    ],
)
def test_references_are_those_of_scipy(name: str, expected: Array) -> None:
    np.testing.assert_allclose(reference(name), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("hardshrink", [-0.6, -0.4, 0.4, 0.6], [-0.6, 0, 0, 0.6]),
        ("softshrink", [-0.6, -0.4, 0.4, 0.6], [-0.1, 0, 0, 0.1]),
        ("threshold", [-9.0, 0.4, 0.6], [0, 0, 0.6]),
        ("hardsigmoid", [-4.0, -3, 0, 1.5, 3, 4], [0, 0, 0.5, 0.75, 1, 1]),
        ("hardswish", [-4.0, 1.5, 4], [0, 1.125, 4]),
        ("sparse_plus", [-2.0, -1, 0, 1, 2], [0, 0, 0.25, 1, 2]),
        ("sparse_sigmoid", [-2.0, -1, 0, 1, 2], [0, 0, 0.5, 1, 1]),
        ("relu6", [-1.0, 5, 7], [0, 5, 6]),
    ],
)
def test_pieces_meet_where_they_should(name: str, x: list[float], y: list[float]) -> None:
    np.testing.assert_allclose(reference(name, np.array([x])), [y], atol=1e-12)


def test_selu_keeps_a_standard_normal_as_it_is() -> None:
    """Its constants are the solution of that: Klambauer et al. (2017), arXiv:1706.02515."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    weights = weights / weights.sum()
    y = reference("selu", nodes[None])[0]
    np.testing.assert_allclose([weights @ y, weights @ y**2], [0, 1], atol=2e-3)


def test_sparsemax_is_the_nearest_point_of_the_simplex() -> None:
    """The example of Keras's issue 23425, and the conditions of a projection."""
    x = np.array([[0.0, 0.5, 1.0]])
    np.testing.assert_allclose(reference("sparsemax", x), [[0, 0.25, 0.75]])
    y = reference("sparsemax")
    np.testing.assert_allclose(y.sum(-1), 1)
    assert (y >= 0).all()
    corners = np.eye(X.shape[-1])
    inner = (X - y) @ corners.T - ((X - y) * y).sum(-1, keepdims=True)
    assert (inner < 1e-12).all()  # no corner lies on x's side of y


def test_the_two_forms_of_gelu_differ_by_up_to_5e_4() -> None:
    exact = reference("gelu", approximate="none")
    approximate = reference("gelu", approximate="tanh")
    assert 1e-4 < np.abs(exact - approximate).max() < 5e-4


def test_what_hangs_on_a_jump_is_not_compared() -> None:
    layer = LAYERS["hardshrink"]
    assert layer.decided is not None
    x = np.array([[-0.505, -0.52, 0.0, 0.495, 0.6]])
    told = layer.decided({"x": x}, {}, Config(1, None, True, {}))
    np.testing.assert_array_equal(told, [[False, True, True, False, True]])
