"""Dropout's own check: it passes what drops a fraction p and scales the rest, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.layer import Array, Config, Mismatch, Observation, canonical
from suites.regularization import DROPOUT

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
