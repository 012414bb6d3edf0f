"""Upsampling and shuffles, on pictures that one can check."""

from __future__ import annotations

import numpy as np
import pytest

from harness.layer import Array, Config, Layer
from harness.types import Value
from suites.upsampling import SHUFFLED, UPSAMPLED

LAYERS = {layer.name: layer for layer in (*UPSAMPLED, *SHUFFLED)}


def config(layer: Layer, **params: Value) -> Config:
    return Config(1, None, False, {**layer.presets["textbook"], **params})


def applied(name: str, x: Array, **params: Value) -> Array:
    layer = LAYERS[name]
    c = config(layer, **params)
    assert layer.reference is not None
    output = layer.reference({"x": x}, {}, c)
    assert output.shape == layer.output(c)
    return output


def upsampled(name: str, x: Array, **params: Value) -> Array:
    return applied(name, x[None, None], channels=1, size=len(x), **params)[0, 0]


@pytest.mark.parametrize(
    ("align_corners", "expected"), [(False, [0, 3, 9, 12]), (True, [0, 4, 8, 12])]
)
def test_pixels_are_areas_or_points(align_corners: bool, expected: list[float]) -> None:
    found = upsampled("upsample_linear1d", np.array([0.0, 12.0]), align_corners=align_corners)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_nearest_repeats() -> None:
    found = upsampled("upsample_nearest1d", np.array([1.0, 2.0]), scale=3)
    np.testing.assert_array_equal(found, [1, 1, 1, 2, 2, 2])


@pytest.mark.parametrize(("mode", "rank"), [("bilinear", 2), ("trilinear", 3)])
def test_each_axis_is_interpolated_for_itself(mode: str, rank: int) -> None:
    """A sum of lines stays one, so that each place can be told from its coordinates."""
    x = sum(np.meshgrid(*(10.0**axis * np.arange(3) for axis in range(rank)), indexing="ij"))
    line = upsampled("upsample_linear1d", np.arange(3.0))
    expected = sum(np.meshgrid(*(10.0**axis * line for axis in range(rank)), indexing="ij"))
    found = upsampled(f"upsample_{mode}{rank}d", np.asarray(x))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_bicubic_weighs_as_keys_does_with_three_quarters() -> None:
    """k(7/4), k(5/4), k(3/4), k(1/4), by hand from the two cubics with -3/4."""
    impulse = np.zeros((8, 8))
    impulse[3, :] = 1.0
    weights = [-0.03515625, -0.10546875, 0.26171875, 0.87890625]
    expected = [0, 0, 0, *weights, *weights[::-1], 0, 0, 0, 0, 0]
    found = upsampled("upsample_bicubic2d", impulse)
    np.testing.assert_allclose(found[:, 8], expected, atol=1e-12)


def test_what_lies_outside_is_as_the_nearest_pixel() -> None:
    for name in ("upsample_bilinear2d", "upsample_bicubic2d"):
        np.testing.assert_allclose(upsampled(name, np.full((3, 3), 2.5), scale=4), 2.5)


def test_keras_interpolates_without_aligning_corners() -> None:
    layer = LAYERS["upsample_bilinear2d"]
    keras, torch = layer.builders["keras"], layer.builders["torch"]
    aligned = config(layer, align_corners=True)
    assert "no align_corners" in keras.unsupported(aligned)
    assert not keras.unsupported(config(layer))
    assert not torch.unsupported(aligned)


def test_a_backward_pass_sums_what_a_pixel_was_repeated_to() -> None:
    layer = LAYERS["upsample_nearest2d"]
    c = config(layer, channels=3, size=4, scale=2)
    assert layer.backward_flops is not None
    assert (layer.flops(c), layer.backward_flops(c)) == (0, 3 * 8 * 8)
    bilinear = LAYERS["upsample_bilinear2d"]
    c = config(bilinear, channels=3, size=4, scale=2)
    assert bilinear.flops(c) == 2 * 4 * 3 * 8 * 8


def test_pixel_shuffle_lays_out_a_pixels_channels_row_by_row() -> None:
    deep = np.arange(8.0).reshape(1, 8, 1, 1)
    fine = applied("pixel_shuffle", deep, channels=2, factor=2, size=1)
    np.testing.assert_array_equal(fine[0], [[[0, 1], [2, 3]], [[4, 5], [6, 7]]])
    np.testing.assert_array_equal(
        applied("pixel_unshuffle", fine, channels=2, factor=2, size=1), deep
    )


def test_pixel_shuffle_and_its_inverse_keep_places_apart() -> None:
    fine = np.random.default_rng(0).standard_normal((1, 2, 6, 6))
    deep = applied("pixel_unshuffle", fine, channels=2, factor=3, size=2)
    np.testing.assert_array_equal(deep[0, 3 + 1], fine[0, 0, 1::3, 1::3])
    np.testing.assert_array_equal(
        applied("pixel_shuffle", deep, channels=2, factor=3, size=2), fine
    )


def test_channel_shuffle_takes_one_of_each_group_in_turn() -> None:
    x = np.arange(6.0).reshape(1, 6, 1, 1)
    found = applied("channel_shuffle", x, channels=6, groups=2, size=1)
    np.testing.assert_array_equal(found.ravel(), [0, 3, 1, 4, 2, 5])
