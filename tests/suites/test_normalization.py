"""The reference of batch normalization, in inference and in training, on features and images."""

from __future__ import annotations

import numpy as np
import pytest

from harness.layer import Array, Config
from suites.normalization import BATCH_NORM, EPSILON

WEIGHTS = {
    "gamma": np.array([1.0, 2.0]),
    "beta": np.array([0.0, 1.0]),
    "moving_mean": np.array([1.0, 2.0]),
    "moving_variance": np.array([4.0 - EPSILON, 1.0 - EPSILON]),
}


def batch_norm(x: Array, training: bool) -> Array:
    size = x.shape[2] if x.ndim > 2 else 1
    params = {"features": x.shape[1], "size": size, "layout": "native"}
    assert BATCH_NORM.reference is not None
    return BATCH_NORM.reference({"x": x}, WEIGHTS, Config(len(x), 0, training, params))


def test_inference_uses_the_running_statistics() -> None:
    x = np.array([[3.0, 2.0], [1.0, 4.0]])
    np.testing.assert_allclose(batch_norm(x, training=False), [[1, 1], [0, 5]])


@pytest.mark.parametrize("shape", [(8, 2), (3, 2, 4, 4)])
def test_training_normalizes_each_feature_over_the_batch(shape: tuple[int, ...]) -> None:
    y = batch_norm(np.random.default_rng(0).normal(5, 3, shape), training=True)
    rest = tuple(axis for axis in range(len(shape)) if axis != 1)
    np.testing.assert_allclose(y.mean(rest), WEIGHTS["beta"], atol=1e-12)
    np.testing.assert_allclose(y.std(rest), WEIGHTS["gamma"], rtol=1e-5)


def test_the_variance_is_biased_and_epsilon_is_under_the_root() -> None:
    y = batch_norm(np.array([[0.0, 0.0], [2.0, 0.02]]), training=True)
    expected = [1 / np.sqrt(1 + EPSILON), 1 + 2 * 0.01 / np.sqrt(1e-4 + EPSILON)]
    np.testing.assert_allclose(y[1], expected)
