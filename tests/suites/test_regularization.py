"""The checks of random layers: each passes what its layer should do, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.layer import Array, Config, Layer, Mismatch, Observation, canonical
from suites.activation import RRELU
from suites.regularization import (
    DROPOUT,
    GAUSSIAN_DROPOUT,
    GAUSSIAN_NOISE,
    OF_CHANNELS,
    OF_VALUES,
)

SIZE = (64, 1000)


def config(p: float) -> Config:
    return Config(SIZE[0], 0, True, {"features": SIZE[1], "p": p})


def observe(p: float, scale: float | None = None) -> Observation:
    """A sound layer of NumPy, or one with another scale."""
    rng = np.random.default_rng(0)
    x, upstream = rng.standard_normal((2, *SIZE))
    factor = (rng.random(SIZE) >= p) * (1 / (1 - p) if scale is None else scale)
    return Observation({"x": x}, x * factor, upstream, {"x": upstream * factor})


def check(seen: Observation, p: float) -> float:
    assert DROPOUT.check is not None
    return DROPOUT.check(seen, config(p), 1e-6)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9])
def test_dropping_a_fraction_p_and_scaling_the_rest_passes(p: float) -> None:
    assert check(observe(p), p) < 1e-12


def test_p_is_the_fraction_dropped_not_kept() -> None:
    with pytest.raises(Mismatch, match=r"drops 0\.1\d+ of 64000 values where p is 0\.9"):
        check(observe(0.1), 0.9)


def test_a_share_that_is_a_little_off_shows() -> None:
    with pytest.raises(Mismatch, match="drops"):
        check(observe(0.5), 0.52)


def test_a_layer_that_is_still_in_inference_shows() -> None:
    x = observe(0.5).inputs["x"]
    with pytest.raises(Mismatch, match=r"drops 0\.0000"):
        check(Observation({"x": x}, x, x, {"x": x}), 0.5)


def test_kept_values_that_are_not_scaled_show() -> None:
    with pytest.raises(Mismatch, match="kept values"):
        check(observe(0.5, scale=1.0), 0.5)


def test_a_gradient_with_another_mask_shows() -> None:
    seen = observe(0.5)
    other = np.roll(seen.input_gradients["x"], 1)
    with pytest.raises(Mismatch, match="gradient"):
        check(replace(seen, input_gradients={"x": other}), 0.5)


def test_nan_shows() -> None:
    seen = observe(0.5)
    output: Array = np.where(seen.output == seen.output.max(), np.nan, seen.output)
    with pytest.raises(Mismatch, match="kept values"):
        check(replace(seen, output=output), 0.5)


def test_an_input_of_zero_counts_as_neither_kept_nor_dropped() -> None:
    seen = observe(0.1)
    x, y = seen.inputs["x"].copy(), seen.output.copy()
    x[:32], y[:32] = 0, 0
    assert check(replace(seen, inputs={"x": x}, output=y), 0.1) < 1e-12


def test_inference_is_not_applicable() -> None:
    sizes = {"features": 64, "p": 0.5}
    assert "identity" in DROPOUT.not_applicable(Config(4, 0, False, sizes))
    assert DROPOUT.not_applicable(Config(4, 0, True, sizes)) == ""


def test_torch_dropout_passes() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    c = config(0.1)
    module = DROPOUT.builders["torch"].build(c).train()
    values = canonical("dropout", DROPOUT.inputs(c))["x"]
    x = torch.tensor(values, requires_grad=True)
    upstream = torch.ones_like(x)
    y = DROPOUT.builders["torch"].call(module, c, x)
    (gradient,) = torch.autograd.grad(y, x, upstream)
    seen = Observation({"x": values}, y.detach().numpy(), upstream.numpy(), {"x": gradient.numpy()})
    assert check(seen, 0.1) < 1e-6


def observed(x: Array, factor: Array, shift: Array | float = 0.0) -> Observation:
    """Of y = factor x + shift, with a random upstream gradient."""
    upstream = np.random.default_rng(2).standard_normal(x.shape)
    return Observation({"x": x}, factor * x + shift, upstream, {"x": factor * upstream})


def said(layer: Layer, seen: Observation, **params: float) -> float:
    assert layer.check is not None
    return layer.check(seen, Config(SIZE[0], None, True, params), 1e-6)


X = np.random.default_rng(1).standard_normal(SIZE)


class TestChannels:
    """Maps of 8 x 8 pixels, 64 of 16 channels."""

    layer = OF_CHANNELS[1]
    x = np.random.default_rng(1).standard_normal((64, 16, 8, 8))
    kept = np.random.default_rng(0).random((64, 16, 1, 1)) >= 0.5

    def test_dropping_whole_channels_passes(self) -> None:
        assert said(self.layer, observed(self.x, 2.0 * self.kept), p=0.5) < 1e-12

    def test_dropping_single_values_shows(self) -> None:
        factor = 2.0 * (np.random.default_rng(0).random(self.x.shape) >= 0.5)
        with pytest.raises(Mismatch, match="drops parts of channels"):
            said(self.layer, observed(self.x, factor), p=0.5)

    def test_a_wrong_share_of_channels_shows(self) -> None:
        with pytest.raises(Mismatch, match=r"drops 0\.\d+ of 1024 channels where p is 0\.2"):
            said(self.layer, observed(self.x, 1.25 * self.kept), p=0.2)


class TestAlphaDropout:
    (layer,) = OF_VALUES
    kept = np.random.default_rng(0).random(SIZE) >= 0.1
    # For p = 0.1, by hand: a = (0.9 (1 + 0.1 · 3.0909))^-1/2, b = a · 0.1 · 1.75810.
    a, b = 0.92124, 0.16197
    floor = -1.7580993408473766

    def seen(self, a: float, b: float) -> Observation:
        return observed(X, a * self.kept, np.where(self.kept, b, a * self.floor + b))

    def test_what_keeps_mean_and_variance_passes(self) -> None:
        assert self.layer.check is not None
        seen = self.seen(self.a, self.b)
        assert abs(seen.output.mean()) < 0.02
        assert abs(seen.output.var() - 1) < 0.02
        config = Config(SIZE[0], None, True, {"p": 0.1})
        assert self.layer.check(seen, config, 1e-4) < 1e-4  # of constants to five digits

    def test_dropping_to_zero_shows(self) -> None:
        with pytest.raises(Mismatch, match=r"drops 0\.0000"):
            said(self.layer, observed(X, self.a * self.kept, self.b * self.kept), p=0.1)


@pytest.mark.parametrize(("std", "passes"), [(0.5, True), (0.45, False), (0.0, False)])
def test_factors_of_gaussian_dropout_have_the_variance_of_p(std: float, passes: bool) -> None:
    factor = 1 + std * np.random.default_rng(0).standard_normal(SIZE)
    if passes:
        assert said(GAUSSIAN_DROPOUT, observed(X, factor), p=0.2) < 1e-12
        return
    with pytest.raises(Mismatch, match="factors are not distributed as declared"):
        said(GAUSSIAN_DROPOUT, observed(X, factor), p=0.2)


@pytest.mark.parametrize(
    ("std", "mean", "passes"), [(0.3, 0, True), (0.3, 0.1, False), (0, 0, False)]
)
def test_noise_has_the_deviation_asked_for_and_no_mean(
    std: float, mean: float, passes: bool
) -> None:
    noise = mean + std * np.random.default_rng(0).standard_normal(SIZE)
    seen = observed(X, np.ones(SIZE), noise)
    if passes:
        assert said(GAUSSIAN_NOISE, seen, std=0.3) < 1e-12
        return
    with pytest.raises(Mismatch, match="differences are not distributed as declared"):
        said(GAUSSIAN_NOISE, seen, std=0.3)


@pytest.mark.parametrize(
    ("low", "high", "passes"), [(1 / 8, 1 / 3, True), (11 / 48, 11 / 48, False)]
)
def test_slopes_of_rrelu_are_drawn_in_training(low: float, high: float, passes: bool) -> None:
    slopes = np.random.default_rng(0).uniform(low, high, SIZE)
    seen = observed(X, np.where(X > 0, 1, slopes))
    if passes:
        assert said(RRELU, seen) < 1e-12
        return
    with pytest.raises(Mismatch, match="slopes are not distributed as declared"):
        said(RRELU, seen)


def test_rrelu_takes_the_middle_slope_in_inference() -> None:
    assert RRELU.check is not None
    seen = Observation({"x": X}, np.where(X > 0, 1, 11 / 48) * X, None, {})
    assert RRELU.check(seen, Config(SIZE[0], None, False, {}), 1e-6) < 1e-12
    wrong = Observation({"x": X}, np.where(X > 0, 1, 0.25) * X, None, {})
    with pytest.raises(Mismatch, match="mean slope"):
        RRELU.check(wrong, Config(SIZE[0], None, False, {}), 1e-6)
