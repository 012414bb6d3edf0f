"""Losses of each value alone: of real numbers, of labels of two kinds, and of probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from harness.layer import Array, Config, Layer, Tensor, labels, normal, uniform
from suites.loss.declaration import Presets, keras_loss, loss, torch_loss

_MANY: Presets = {
    "textbook": {"features": 64},
    # What the diffusion model of Ho et al. (2020), arXiv:2006.11239, predicts: the noise of an
    # image of 3 × 32 × 32.
    "ddpm_cifar10": {"features": 3072},
}
_FEW: Presets = {
    "textbook": {"features": 10},
    # Categories of the COCO dataset, each in an image or not: Lin et al. (2014), arXiv:1405.0312.
    "coco": {"features": 80},
}
BETA = 1 / 9
"""As for the boxes that Faster R-CNN proposes: Ren et al. (2015), arXiv:1506.01497."""
KERAS_EPSILON = 1e-7
"""keras.config.epsilon(), as it is set at first."""


def _numbers(c: Config) -> Mapping[str, Tensor]:
    shape = (c.batch, c.features)
    return {"x": normal(*shape), "target": Tensor(shape, trainable=False)}


def _positive(c: Config) -> Mapping[str, Tensor]:
    of = partial(uniform, c.batch, c.features, low=0.1, high=2.0)
    return {"x": of(), "target": of(trainable=False)}


def _with_variance(c: Config) -> Mapping[str, Tensor]:
    return {**_numbers(c), "variance": uniform(c.batch, c.features, low=0.5, high=1.5)}


def _signs(c: Config) -> Mapping[str, Tensor]:
    return {"x": normal(c.batch, c.features), "target": labels(c.batch, c.features, low=-1.0)}


def _two_scores(c: Config) -> Mapping[str, Tensor]:
    return {"x": normal(c.batch, c.features), "y": normal(c.batch, c.features), **_target(c)}


def _target(c: Config) -> Mapping[str, Tensor]:
    return {"target": labels(c.batch, c.features, low=-1.0)}


def _logits(c: Config) -> Mapping[str, Tensor]:
    return {"x": normal(c.batch, c.features), "target": labels(c.batch, c.features)}


def _probabilities(c: Config) -> Mapping[str, Tensor]:
    x = uniform(c.batch, c.features, low=0.05, high=0.95)
    return {"x": x, "target": labels(c.batch, c.features)}


def _huber(x: Array, t: Array) -> Array:
    off = np.abs(x - t)
    each: Array = np.where(off <= 1, off**2 / 2, off - 0.5)
    return each


def _gaussian(x: Array, t: Array, variance: Array) -> Array:
    return (np.log(variance) + (x - t) ** 2 / variance) / 2


def _binary(x: Array, t: Array) -> Array:
    each: Array = -t * np.log(x) - (1 - t) * np.log(1 - x)
    return each


def _binary_logits(x: Array, t: Array) -> Array:
    each: Array = np.logaddexp(0, x) - t * x
    return each


def _focal(x: Array, t: Array) -> Array:
    each: Array = np.abs(t - x) ** 2 * _binary(x, t)
    return each


def _hinge(x: Array, t: Array) -> Array:
    each: Array = np.maximum(1 - t * x, 0)
    return each


def _hinge_embedding(x: Array, t: Array) -> Array:
    return np.where(t > 0, x, np.maximum(1 - x, 0))


_of_numbers = partial(loss, _numbers, _MANY)
_of_positive = partial(loss, _positive, _MANY)
_of_signs = partial(loss, _signs, _FEW)
_of_logits = partial(loss, _logits, _FEW)
_of_probabilities = partial(loss, _probabilities, _FEW)

VALUES: tuple[Layer, ...] = (
    _of_numbers(
        "mean_squared_error",
        "mean of (x - t)²",
        lambda x, t: (x - t) ** 2,
        3,
        "MSELoss",
        "MeanSquaredError",
    ),
    _of_numbers(
        "mean_absolute_error",
        "mean of |x - t|",
        lambda x, t: np.abs(x - t),
        3,
        "L1Loss",
        "MeanAbsoluteError",
    ),
    _of_numbers(
        "huber_loss",
        "mean of (x - t)² / 2 where |x - t| <= 1, else of |x - t| - 1/2",
        _huber,
        5,
        torch="HuberLoss",
        keras="Huber",
        source="Huber (1964), doi:10.1214/aoms/1177703732",
    ),
    # Huber's loss with delta = beta, over beta: with beta = 1 the two are one function.
    _of_numbers(
        "smooth_l1_loss",
        "mean of (x - t)² / (2β) where |x - t| <= β, else of |x - t| - β/2; β = 1/9",
        lambda x, t: _huber(x / BETA, t / BETA) * BETA,
        5,
        torch=torch_loss("SmoothL1Loss", beta=BETA),
        source="Girshick (2015), arXiv:1504.08083, equation 3",
    ),
    _of_numbers(
        "log_cosh",
        "mean of log(cosh(x - t))",
        lambda x, t: np.log(np.cosh(x - t)),
        4,
        keras="LogCosh",
    ),
    loss(
        _with_variance,
        _MANY,
        "gaussian_nll_loss",
        "mean of (log v + (x - t)² / v) / 2",
        _gaussian,
        7,
        torch="GaussianNLLLoss",
        source="Nix and Weigend (1994), doi:10.1109/ICNN.1994.374138",
    ),
    # torch's own epsilon is 1e-8, and its own input the logarithm of the mean.
    _of_positive(
        "poisson_nll_loss",
        "mean of x - t log x",
        lambda x, t: x - t * np.log(x),
        4,
        torch=torch_loss("PoissonNLLLoss", log_input=False, eps=KERAS_EPSILON),
        keras="Poisson",
    ),
    _of_positive(
        "mean_absolute_percentage_error",
        "100 times the mean of |(x - t) / t|",
        lambda x, t: 100 * np.abs((x - t) / t),
        4,
        keras="MeanAbsolutePercentageError",
    ),
    _of_positive(
        "mean_squared_logarithmic_error",
        "mean of (log(x + 1) - log(t + 1))²",
        lambda x, t: (np.log1p(x) - np.log1p(t)) ** 2,
        7,
        keras="MeanSquaredLogarithmicError",
    ),
)

LABELS: tuple[Layer, ...] = (
    _of_signs("hinge_loss", "mean of max(0, 1 - t x)", _hinge, 4, keras="Hinge"),
    _of_signs(
        "squared_hinge_loss",
        "mean of max(0, 1 - t x)²",
        lambda x, t: _hinge(x, t) ** 2,
        5,
        keras="SquaredHinge",
    ),
    _of_signs(
        "hinge_embedding_loss",
        "mean of x where t = 1, of max(0, 1 - x) where t = -1",
        _hinge_embedding,
        4,
        torch="HingeEmbeddingLoss",
    ),
    _of_signs(
        "soft_margin_loss",
        "mean of log(1 + exp(-t x))",
        lambda x, t: np.logaddexp(0, -t * x),
        5,
        "SoftMarginLoss",
    ),
    loss(
        _two_scores,
        _FEW,
        "margin_ranking_loss",
        "mean of max(0, -t (x - y))",
        lambda x, y, t: np.maximum(0, -t * (x - y)),
        4,
        torch="MarginRankingLoss",
    ),
    _of_logits(
        "binary_cross_entropy_with_logits",
        "mean of log(1 + exp(x)) - t x",
        _binary_logits,
        5,
        torch="BCEWithLogitsLoss",
        keras=keras_loss("BinaryCrossentropy", from_logits=True),
    ),
    # The same numbers as the one before, which torch computes by way of two logarithms of sigmoids.
    _of_logits(
        "multilabel_soft_margin_loss",
        "mean of log(1 + exp(x)) - t x",
        _binary_logits,
        5,
        torch="MultiLabelSoftMarginLoss",
        keras=keras_loss("BinaryCrossentropy", from_logits=True),
    ),
)

PROBABILITIES: tuple[Layer, ...] = (
    _of_probabilities(
        "binary_cross_entropy",
        "mean of -t log x - (1 - t) log(1 - x)",
        _binary,
        8,
        torch="BCELoss",
        keras="BinaryCrossentropy",
    ),
    _of_probabilities(
        "binary_focal_cross_entropy",
        "mean of -(1 - q)² log q, with q = x where t = 1, else 1 - x",
        _focal,
        10,
        keras="BinaryFocalCrossentropy",
        source="Lin et al. (2017), arXiv:1708.02002",
    ),
)
