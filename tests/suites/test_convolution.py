"""The reference of conv2d, against SciPy's cross-correlation and a picture one can check."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate

from harness.layer import Array, Config
from suites.convolution import CONV2D


def conv2d(x: Array, kernel: Array, bias: Array) -> Array:
    size, _, in_channels, out_channels = kernel.shape
    params = {
        **CONV2D.presets["textbook"],
        "in_channels": in_channels,
        "out_channels": out_channels,
        "kernel": size,
        "size": x.shape[-1],
    }
    weights = {"kernel": kernel, "bias": bias}
    assert CONV2D.reference is not None
    return CONV2D.reference({"x": x}, weights, Config(len(x), 0, False, params))


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_it_is_a_cross_correlation_summed_over_channels(kernel_size: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 6, 6))
    kernel = rng.standard_normal((kernel_size, kernel_size, 3, 4))
    bias = rng.standard_normal(4)
    expected = [
        [
            bias[o] + sum(correlate(image[c], kernel[:, :, c, o], "same") for c in range(3))
            for o in range(4)
        ]
        for image in x
    ]
    np.testing.assert_allclose(conv2d(x, kernel, bias), expected, atol=1e-12)


def test_the_kernel_is_not_flipped_and_the_border_is_zero() -> None:
    x = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    right_neighbour = np.zeros((3, 3, 1, 1))
    right_neighbour[1, 2] = 1
    expected = [[[[2, 3, 0], [5, 6, 0], [8, 9, 0]]]]
    np.testing.assert_array_equal(conv2d(x, right_neighbour, np.zeros(1)), expected)
