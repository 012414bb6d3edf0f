"""Folding against pictures that can be checked by eye, and against each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.layer import Array, Config, Layer
from harness.types import UsageError
from suites.reshaping import FOLD, UNFOLD

WINDOWS = [
    {"kernel": 3, "stride": 1, "padding": 1, "dilation": 1},
    {"kernel": 2, "stride": 2, "padding": 0, "dilation": 1},
    {"kernel": 2, "stride": 3, "padding": 1, "dilation": 2},
]


def config(**params: Any) -> Config:
    return Config(2, None, False, {"channels": 3, "size": 6, "layout": "native", **params})


def reference(layer: Layer, x: Array, c: Config) -> Array:
    assert layer.reference is not None
    return layer.reference({"x": x}, {}, c)


def test_unfolding_gives_each_window_a_column() -> None:
    x = np.arange(9.0).reshape(1, 1, 3, 3)
    c = Config(1, None, False, {"channels": 1, "size": 3, **WINDOWS[0], "kernel": 2, "padding": 0})
    columns = reference(UNFOLD, x, c)[0]
    np.testing.assert_array_equal(
        columns.T, [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]
    )


@pytest.mark.parametrize("windows", WINDOWS, ids=str)
def test_folding_is_the_adjoint_of_unfolding(windows: dict[str, int]) -> None:
    c = config(**windows)
    rng = np.random.default_rng(0)
    image = rng.standard_normal((2, 3, 6, 6))
    columns = rng.standard_normal(UNFOLD.output(c))
    folded = reference(FOLD, columns, c)
    assert np.vdot(reference(UNFOLD, image, c), columns) == pytest.approx(np.vdot(image, folded))


def test_a_kernel_larger_than_the_image_is_refused() -> None:
    with pytest.raises(UsageError, match="a kernel of 9 does not fit into a size of 6"):
        UNFOLD.output(config(kernel=9, stride=1, padding=0, dilation=1))
