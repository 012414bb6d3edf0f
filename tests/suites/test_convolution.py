"""The references of convolutions, against SciPy, each other, and pictures one can check."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate

from harness.layer import Array, Config, Layer
from harness.types import UsageError, Value
from suites.convolution import CONV2D, CONVOLUTIONS, DEPTHWISE, SEPARABLE, TRANSPOSED

RNG = np.random.default_rng(0)


def config(layer: Layer, **params: Value) -> Config:
    return Config(2, None, False, {**layer.presets["textbook"], **params})


def reference(layer: Layer, c: Config, x: Array, **weights: Array) -> Array:
    assert layer.reference is not None
    output = layer.reference({"x": x}, weights, c)
    assert output.shape == layer.output(c)
    return output


def mixed(x: Array, kernel: Array, **params: Value) -> Array:
    """A convolution, plain, of as many axes as the kernel has, without bias."""
    layer = CONVOLUTIONS[kernel.ndim - 3]
    sizes = {"in_channels": x.shape[1], "out_channels": kernel.shape[-1], "size": x.shape[-1]}
    c = config(layer, **sizes, kernel=kernel.shape[0], **params)
    return reference(layer, c, x, kernel=kernel, bias=np.zeros(kernel.shape[-1]))


def spread(x: Array, kernel: Array, **params: Value) -> Array:
    """Likewise, transposed."""
    layer = TRANSPOSED[kernel.ndim - 3]
    sizes = {"in_channels": x.shape[1], "out_channels": kernel.shape[-1], "size": x.shape[-1]}
    c = config(layer, **sizes, kernel=kernel.shape[0], **params)
    return reference(layer, c, x, kernel=kernel, bias=np.zeros(kernel.shape[-1]))


def line(*values: float) -> Array:
    """Two images of one channel and one axis."""
    return np.array([[values]] * 2, dtype=np.float64)


def taps(*values: float) -> Array:
    return np.array(values, dtype=np.float64).reshape(-1, 1, 1)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2)])
def test_it_is_a_cross_correlation_summed_over_channels(
    rank: int, size: int, stride: int, dilation: int
) -> None:
    x = RNG.standard_normal((2, 3, *(6,) * rank))
    kernel = RNG.standard_normal((*(size,) * rank, 3, 4))
    wide = np.zeros((*((size - 1) * dilation + 1,) * rank, 3, 4))
    wide[(slice(None, None, dilation),) * rank] = kernel
    expected = [
        [sum(correlate(image[c], wide[..., c, o], "valid") for c in range(3)) for o in range(4)]
        for image in x
    ]
    found = mixed(x, kernel, stride=stride, dilation=dilation, padding="valid")
    seen = (..., *(slice(None, None, stride),) * rank)
    np.testing.assert_allclose(found, np.array(expected)[seen], atol=1e-12)


def test_the_kernel_is_not_flipped_and_the_border_is_zero() -> None:
    x = np.arange(1.0, 10.0).reshape(1, 1, 3, 3).repeat(2, axis=0)
    right_neighbour = np.zeros((3, 3, 1, 1))
    right_neighbour[1, 2] = 1
    expected = [[2, 3, 0], [5, 6, 0], [8, 9, 0]]
    np.testing.assert_array_equal(mixed(x, right_neighbour)[0, 0], expected)


def test_the_bias_is_a_channels_own() -> None:
    c = config(CONV2D, in_channels=1, out_channels=2, kernel=1, size=2)
    zeros = np.zeros((2, 1, 2, 2)), np.zeros((1, 1, 1, 2))
    found = reference(CONV2D, c, zeros[0], kernel=zeros[1], bias=np.array([1.0, 2.0]))
    np.testing.assert_array_equal(found[0], [[[1, 1], [1, 1]], [[2, 2], [2, 2]]])


def test_an_even_kernel_has_its_odd_zero_after() -> None:
    np.testing.assert_array_equal(mixed(line(1, 2, 3), taps(1, 10))[0, 0], [21, 32, 3])


@pytest.mark.parametrize(
    ("padding", "expected"), [("same", [321, 43]), ("symmetric", [210, 432]), ("valid", [321])]
)
def test_at_stride_2_same_and_symmetric_are_a_place_apart(
    padding: str, expected: list[float]
) -> None:
    found = mixed(line(1, 2, 3, 4), taps(1, 10, 100), stride=2, padding=padding)
    np.testing.assert_array_equal(found[0, 0], expected)


@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        ("valid", [1, 10, 102, 20, 200]),
        ("same", [1, 10, 102, 20]),
        ("symmetric", [10, 102, 20, 200]),
    ],
)
def test_a_transposed_one_is_cut_after_or_before(padding: str, expected: list[float]) -> None:
    found = spread(line(1, 2), taps(1, 10, 100), stride=2, padding=padding)
    np.testing.assert_array_equal(found[0, 0], expected)


@pytest.mark.parametrize("padding", ["valid", "same", "symmetric"])
def test_places_that_no_kernel_reaches_come_after(padding: str) -> None:
    found = spread(line(1, 2), taps(1, 10), stride=3, padding=padding)
    np.testing.assert_array_equal(found[0, 0], [1, 10, 0, 2, 20, 0])


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(
    ("kernel_size", "stride", "dilation"), [(3, 2, 1), (4, 2, 1), (2, 2, 1), (3, 1, 2)]
)
def test_the_transposed_one_is_the_adjoint_of_the_plain_one(
    rank: int, kernel_size: int, stride: int, dilation: int
) -> None:
    params: dict[str, Value] = {"stride": stride, "dilation": dilation, "padding": "same"}
    kernel = RNG.standard_normal((*(kernel_size,) * rank, 2, 3))
    fine = RNG.standard_normal((2, 2, *(4 * stride,) * rank))
    coarse = RNG.standard_normal((2, 3, *(4,) * rank))
    ahead = np.vdot(mixed(fine, kernel, **params), coarse)
    back = np.vdot(fine, spread(coarse, kernel.swapaxes(-1, -2), **params))
    assert ahead == pytest.approx(back, rel=1e-12)


def test_groups_are_convolutions_side_by_side() -> None:
    x, kernel = RNG.standard_normal((2, 4, 5, 5)), RNG.standard_normal((3, 3, 2, 6))
    halves = [mixed(x[:, 2 * g : 2 * g + 2], kernel[..., 3 * g : 3 * g + 3]) for g in (0, 1)]
    c = config(CONV2D, in_channels=4, out_channels=6, groups=2, size=5)
    found = reference(CONV2D, c, x, kernel=kernel, bias=np.zeros(6))
    np.testing.assert_allclose(found, np.concatenate(halves, axis=1), atol=1e-12)


def test_transposed_groups_are_convolutions_side_by_side() -> None:
    layer = TRANSPOSED[1]
    x, kernel = RNG.standard_normal((2, 4, 5, 5)), RNG.standard_normal((4, 4, 4, 3))
    halves = [spread(x[:, i : i + 2], kernel[..., i : i + 2, :], stride=2) for i in (0, 2)]
    c = config(layer, in_channels=4, out_channels=6, groups=2, size=5)
    found = reference(layer, c, x, kernel=kernel, bias=np.zeros(6))
    np.testing.assert_allclose(found, np.concatenate(halves, axis=1), atol=1e-12)


def test_a_depthwise_one_gives_a_channels_results_together() -> None:
    c = config(DEPTHWISE[0], channels=2, multiplier=2, kernel=1, size=1)
    kernel = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    x = np.array([[[1.0], [10.0]]] * 2)
    found = reference(DEPTHWISE[0], c, x, kernel=kernel, bias=np.zeros(4))
    np.testing.assert_array_equal(found[0, :, 0], [1, 2, 30, 40])


@pytest.mark.parametrize("rank", [1, 2])
def test_a_separable_one_is_a_convolution_whose_kernel_is_a_product(rank: int) -> None:
    layer = SEPARABLE[rank - 1]
    c = config(layer, in_channels=2, out_channels=3, multiplier=2, size=5)
    x = RNG.standard_normal((2, 2, *(5,) * rank))
    apart, across = RNG.standard_normal((*(3,) * rank, 2, 2)), RNG.standard_normal((4, 3))
    found = reference(layer, c, x, depthwise=apart, pointwise=across, bias=np.zeros(3))
    product = np.einsum("...cm,cmo->...co", apart, across.reshape(2, 2, 3))
    np.testing.assert_allclose(found, mixed(x, product), atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "params", "message"),
    [
        (CONV2D, {"padding": "causal"}, "no padding 'causal'; choose one of: valid, same, symm"),
        (TRANSPOSED[0], {"padding": "full"}, "no padding 'full'"),
        (CONV2D, {"in_channels": 4, "groups": 4, "out_channels": 6}, "no divisor of out_channels"),
        (CONV2D, {"kernel": 5, "size": 4, "padding": "valid"}, "does not fit on size = 4"),
        (CONV2D, {"layout": "last"}, "no layout 'last'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    layer: Layer, params: dict[str, Value], message: str
) -> None:
    c = config(layer, **params)
    with pytest.raises(UsageError, match=message):
        (layer.inputs(c), layer.weights(c), layer.output(c))


@pytest.mark.parametrize(
    ("layer", "framework", "params", "reason"),
    [
        (CONV2D, "torch", {"stride": 2}, "torch pads both ends alike; 'same' takes 0 before and 1"),
        (CONV2D, "torch", {"stride": 2, "padding": "symmetric"}, ""),
        (CONV2D, "torch", {"layout": "channels_last"}, ""),
        (CONVOLUTIONS[0], "torch", {"layout": "channels_last"}, "two and three axes of space only"),
        (CONV2D, "keras", {"stride": 2, "dilation": 2}, "with a stride or with a dilation"),
        (TRANSPOSED[1], "torch", {"kernel": 3}, "'same' cuts 0 before and 1 after"),
        (TRANSPOSED[1], "torch", {"kernel": 3, "padding": "symmetric"}, ""),
        (TRANSPOSED[1], "keras", {"kernel": 3}, ""),
        (TRANSPOSED[1], "keras", {"kernel": 3, "padding": "symmetric"}, "cuts 1 before and 0"),
        (TRANSPOSED[1], "keras", {"groups": 2}, "have no groups"),
    ],
)
def test_what_a_framework_cannot_do_has_a_reason(
    layer: Layer, framework: str, params: dict[str, Value], reason: str
) -> None:
    told = layer.builders[framework].unsupported(config(layer, **params))
    assert reason in told
    assert bool(told) == bool(reason)
