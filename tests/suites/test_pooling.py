"""References of pooling, against pictures one can check, and where frameworks round or pad."""

from __future__ import annotations

import numpy as np
import pytest

from harness import catalogue
from harness.layer import Array, Config, Layer
from harness.types import UsageError, Value

LAYERS = {name: layer for name, layer in catalogue.load().items() if layer.family == "pooling"}
LINE = np.array([1.0, 5.0, 2.0, 4.0, 3.0, 0.0, 7.0])


def config(layer: Layer, batch: int = 1, **params: Value) -> Config:
    return Config(batch, None, False, {**next(iter(layer.presets.values())), **params})


def of_line(name: str, **params: Value) -> list[float]:
    """What a layer of 1-D images makes of `LINE`."""
    layer = LAYERS[name]
    assert layer.reference is not None
    c = config(layer, 1, channels=1, size=LINE.size, **params)
    found: list[float] = layer.reference({"x": LINE[None, None]}, {}, c).ravel().tolist()
    return found


def test_windows_that_do_not_fit_are_left_out() -> None:
    assert of_line("max_pool1d", kernel=2, stride=2) == [5, 4, 3]
    assert of_line("avg_pool1d", kernel=2, stride=2) == [3, 3, 1.5]


def test_padding_is_neither_a_maximum_nor_a_part_of_a_mean() -> None:
    assert of_line("avg_pool1d", kernel=3, stride=3, padding=1) == [3, 3, 3.5]
    layer = LAYERS["max_pool1d"]
    assert layer.reference is not None
    c = config(layer, channels=1, size=3, kernel=3, stride=3, padding=1)
    assert layer.reference({"x": np.array([[[-2.0, -1, -3]]])}, {}, c).ravel().tolist() == [-1]


def test_a_norm_is_of_all_values_of_its_window() -> None:
    assert of_line("lp_pool1d", kernel=2, stride=4) == pytest.approx([26**0.5, 3])


def test_adaptive_windows_overlap_where_sizes_do_not_divide() -> None:
    assert of_line("adaptive_max_pool1d", output_size=3) == [5, 4, 7]  # [0, 3), [2, 5), [4, 7)
    assert of_line("adaptive_avg_pool1d", output_size=3) == pytest.approx([8 / 3, 3, 10 / 3])
    assert of_line("global_avg_pool1d") == pytest.approx([22 / 7])


def test_a_window_of_images_is_a_product_of_windows() -> None:
    layer = LAYERS["avg_pool2d"]
    assert layer.reference is not None
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    y = layer.reference({"x": x}, {}, config(layer, channels=1, size=4))
    assert y.tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]


@pytest.mark.parametrize(
    ("size", "stride", "same"), [(7, 1, True), (8, 1, True), (7, 2, True), (8, 2, False)]
)
def test_keras_can_pad_only_where_as_much_comes_before_as_after(
    size: int, stride: int, same: bool
) -> None:
    layer = LAYERS["max_pool2d"]
    c = config(layer, size=size, kernel=3, stride=stride, padding=1)
    assert (layer.builders["keras"].unsupported(c) == "") == same
    assert layer.builders["torch"].unsupported(c) == ""


def test_a_stem_that_keras_pads_otherwise_is_unsupported_and_says_how() -> None:
    layer = LAYERS["max_pool2d"]
    c = config(layer, size=112, kernel=3, stride=2, padding=1)
    assert "0 before and 1 after" in layer.builders["keras"].unsupported(c)


@pytest.mark.parametrize(("kernel", "padding"), [(3, 2), (20, 1)])
def test_windows_of_padding_alone_and_windows_too_large_are_refused(
    kernel: int, padding: int
) -> None:
    layer = LAYERS["max_pool2d"]
    with pytest.raises(UsageError, match=f"kernel = {kernel}"):
        layer.output(config(layer, kernel=kernel, padding=padding))


def test_maxima_of_3d_images_that_lead_by_next_to_nothing_are_not_compared() -> None:
    layer = LAYERS["max_pool3d"]
    assert layer.decided is not None
    x = np.arange(64.0).reshape(1, 1, 4, 4, 4)
    x[0, 0, 0, 0, 0] = x[0, 0, 1, 1, 1] + 1e-6
    decided = layer.decided({"x": x}, {}, config(layer, channels=1, size=4))
    assert np.argwhere(~decided).tolist() == [[0, 0, 0, 0, 0]]


def fractional(draw: int, line: Array) -> list[float]:
    layer = LAYERS["fractional_max_pool2d"]
    assert layer.reference is not None
    c = config(layer, channels=1, size=line.size, output_size=3, kernel=2)
    image = np.broadcast_to(line, (1, 1, line.size, line.size))
    y = layer.reference({"x": image}, {"draws": np.array([[draw]])}, c)
    found: list[float] = y[0, 0, 0].tolist()
    return found


def test_random_windows_begin_at_the_edge_end_at_the_edge_and_move_between() -> None:
    rising = np.arange(7.0)  # a = (7 - 2) / 2: the second window begins at floor(a (1 + u)) - ...
    assert fractional(0, rising) == [1, 3, 6]
    assert fractional(20, rising) == [1, 4, 6]
    assert fractional(40, rising) == [1, 4, 6]  # less floor(a u) = 1


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_unpooling_puts_values_where_pooling_found_them(rank: int) -> None:
    pool, unpool = LAYERS[f"max_pool{rank}d"], LAYERS[f"max_unpool{rank}d"]
    assert pool.reference is not None
    assert unpool.reference is not None
    rng = np.random.default_rng(0)
    c = config(unpool, batch=2, channels=3, size=4)
    values = rng.uniform(1, 2, (2, 3, *(4,) * rank))
    offsets = rng.integers(0, 2**rank, values.shape)
    image = unpool.reference({"x": values, "offsets": offsets}, {}, c)
    assert np.count_nonzero(image) == values.size
    again = pool.reference({"x": image}, {}, config(pool, batch=2, channels=3, size=8))
    np.testing.assert_array_equal(again, values)


def test_what_counts_is_what_windows_hold() -> None:
    """16 channels of 8 x 8 windows of 2 x 2: 3 comparisons each, or 3 sums and a division."""
    windows = 2 * 16 * 8 * 8
    for name, each in (("max_pool2d", 3), ("avg_pool2d", 4), ("lp_pool2d", 8)):
        layer = LAYERS[name]
        assert layer.flops(config(layer, batch=2)) == each * windows
    adaptive = LAYERS["adaptive_avg_pool1d"]  # 4 windows of 3 cover 10, and so share 2
    assert adaptive.flops(config(adaptive, channels=1, size=10, output_size=4)) == 12
