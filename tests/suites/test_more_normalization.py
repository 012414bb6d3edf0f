"""The references of the further normalizations, on figures that can be checked by eye."""

from __future__ import annotations

import numpy as np
import pytest

from harness.layer import Array, Arrays, Config, Layer
from harness.types import Value
from suites.normalization import GROUP_NORMS, RESPONSE_NORMS, SPECTRAL_NORMALIZATION

GROUP_NORM = GROUP_NORMS[0]
LOCAL_RESPONSE_NORM, CROSS_MAP_LRN2D = RESPONSE_NORMS


def computed(
    layer: Layer, inputs: Arrays, weights: Arrays, training: bool = False, **params: Value
) -> Array:
    assert layer.reference is not None
    batch = len(next(iter(inputs.values())))
    return layer.reference(inputs, weights, Config(batch, None, training, params))


def test_groups_are_of_adjacent_channels_and_of_one_item() -> None:
    x = np.random.default_rng(0).normal(3, 2, (2, 4, 3, 3))
    plain = {"gamma": np.ones(4), "beta": np.zeros(4)}
    y = computed(GROUP_NORM, {"x": x}, plain, groups=2, features=4, size=3)
    for item in y:
        for group in (item[:2], item[2:]):
            assert group.mean() == pytest.approx(0, abs=1e-12)
            assert group.std() == pytest.approx(1, rel=1e-4)


def window(layer: Layer, width: int, squares: list[float]) -> list[float]:
    """The mean of the squares that each channel was divided by, found again from the output."""
    x = np.sqrt(np.array(squares))[None, :, None, None]
    y = computed(layer, {"x": x}, {}, features=len(squares), size=1, window=width)
    found: list[float] = (((x / y) ** (1 / 0.75) - 2) * width).ravel().tolist()
    return found


@pytest.mark.parametrize(
    ("layer", "width", "sums"),
    [
        (LOCAL_RESPONSE_NORM, 3, [3, 7, 14, 28, 56, 48]),
        (LOCAL_RESPONSE_NORM, 2, [1, 3, 6, 12, 24, 48]),
        (CROSS_MAP_LRN2D, 3, [3, 7, 15, 29, 57, 49]),
    ],
)
def test_a_channel_is_divided_by_its_neighbours(
    layer: Layer, width: int, sums: list[float]
) -> None:
    """Torch's second one never lets go of channel 0."""
    assert window(layer, width, [1, 2, 4, 8, 16, 32]) == pytest.approx(sums)


def test_training_divides_by_the_largest_singular_value_once_the_direction_is_found() -> None:
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(5, 3))
    _, values, right = np.linalg.svd(kernel)
    weights = {"kernel": kernel, "bias": np.zeros(3), "direction": right[:1]}
    params: dict[str, Value] = {"in_features": 5, "out_features": 3}
    one = {"x": np.eye(5)}
    y = computed(SPECTRAL_NORMALIZATION, one, weights, training=True, **params)
    np.testing.assert_allclose(y, kernel / values[0])
    np.testing.assert_allclose(computed(SPECTRAL_NORMALIZATION, one, weights, **params), kernel)
