"""Gaussian noise, and a penalty on what a layer gives; Keras alone has layers for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.checks import Allowed
from harness.layer import Array, Arrays, Config, Layer, Observation, normal
from suites._builders import keras_layer
from suites._lacking import NO_TORCH
from suites._random import hold, hold_distribution
from suites.regularization.dropout import in_training

TELLING = 0.1
"""Nearer to 0 than this, a quotient y / x is one of roundings."""
LEAST = 1e-3
"""Of a noise that can be told from none."""
L1, L2 = 1e-3, 1e-3


def _normal_cdf(z: Array) -> Array:
    from scipy.special import ndtr

    shares: Array = ndtr(z)
    return shares


def _check_product(seen: Observation, c: Config, tolerance: float) -> float:
    """Whether y / x is from N(1, p / (1 - p)), and gradients took the same factors."""
    x, std = seen.inputs["x"], (c.p / (1 - c.p)) ** 0.5
    telling = np.abs(x) > TELLING
    factors = seen.output[telling] / x[telling]
    hold_distribution("factors", (factors - 1) / std, _normal_cdf, tolerance)
    assert seen.upstream is not None  # in inference it is not applicable
    found, expected = seen.input_gradients["x"][telling], factors * seen.upstream[telling]
    return hold("the gradient does not have the output's factors", found, expected, 4 * tolerance)


def _check_sum(seen: Observation, c: Config, tolerance: float) -> float:
    """Whether y - x is from N(0, std²), and the gradient went through."""
    drawn = (seen.output - seen.inputs["x"]) / c.std
    hold_distribution("differences", drawn, _normal_cdf, tolerance)
    assert seen.upstream is not None
    what = "the gradient is not the upstream gradient"
    return hold(what, seen.input_gradients["x"], seen.upstream, tolerance)


def _only_in_training(c: Config) -> str:
    return "" if c.training else "noise in inference is the identity: there is nothing to time"


GAUSSIAN_DROPOUT = Layer(
    name="gaussian_dropout",
    family="regularization",
    formula="y = x (1 + sqrt(p / (1 - p)) z), with z ~ N(0, 1)",
    presets={
        "textbook": {"features": 64, "p": 0.5},
        "srivastava_mnist": {"features": 1024, "p": 0.5},  # the paper's section 10, table 10
    },
    allowed={"p": Allowed(least=LEAST, below=1)},
    inputs=lambda c: {"x": normal(c.batch, c.features)},
    output=lambda c: (c.batch, c.features),
    flops=lambda c: 3 * c.batch * c.features,
    backward_flops=lambda c: c.batch * c.features,
    builders={"keras": keras_layer("GaussianDropout", lambda c: {"rate": c.p}, call=in_training)},
    lacking=NO_TORCH,
    not_applicable=_only_in_training,
    check=_check_product,
    source="Srivastava et al. (2014), Journal of Machine Learning Research 15, section 10",
)

GAUSSIAN_NOISE = Layer(
    name="gaussian_noise",
    family="regularization",
    formula="y = x + s z, with z ~ N(0, 1)",
    presets={
        "textbook": {"features": 64, "std": 0.1},
        # The pixels of CIFAR-10 in the ladder network: Rasmus et al. (2015), arXiv:1507.02672.
        "ladder_cifar10": {"features": 3072, "std": 0.3},
    },
    allowed={"std": Allowed(least=LEAST)},
    inputs=lambda c: {"x": normal(c.batch, c.features)},
    output=lambda c: (c.batch, c.features),
    flops=lambda c: 2 * c.batch * c.features,
    backward_flops=lambda c: 0,
    builders={"keras": keras_layer("GaussianNoise", lambda c: {"stddev": c.std}, call=in_training)},
    lacking=NO_TORCH,
    not_applicable=_only_in_training,
    check=_check_sum,
    source="Bishop (1995), doi:10.1162/neco.1995.7.1.108",
)


def _penalty(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    x = inputs["x"]
    penalty: Array = (L1 * np.abs(x).sum() + L2 * (x**2).sum()) / c.batch
    return penalty


def _loss(module: Any, _c: Config, x: Any) -> Any:
    """The layer's output is its input; what it computes is what it adds to the loss."""
    module(x)
    (loss,) = module.losses
    return loss


ACTIVITY_REGULARIZATION = Layer(
    name="activity_regularization",
    family="regularization",
    formula="loss = (0.001 sum of |x| + 0.001 sum of x²) / batch",
    presets={
        "textbook": {"features": 64},
        "resnet50_conv4": {"features": 50176},  # 14 x 14 x 256: He et al. (2016), arXiv:1512.03385
    },
    inputs=lambda c: {"x": normal(c.batch, c.features)},
    output=lambda c: (),
    reference=_penalty,
    flops=lambda c: 4 * c.batch * c.features,  # both powers, both sums
    backward_flops=lambda c: 4 * c.batch * c.features,  # both derivatives, weighted; their sum
    terms=lambda c: c.batch * c.features,
    builders={
        "keras": keras_layer("ActivityRegularization", lambda c: {"l1": L1, "l2": L2}, call=_loss)
    },
    lacking=NO_TORCH,
    source="keras.layers.ActivityRegularization",
)
