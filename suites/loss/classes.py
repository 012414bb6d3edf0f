"""Losses of one class of many: of scores or shares, with the class as an index or one-hot."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, integers, normal, one_hot
from harness.layer import uniform as drawn
from suites.loss.declaration import Presets, keras_loss, loss, torch_loss

INDEX_BYTES = 8
PRESENT = 3
"""Classes that each item of the multi-label margin loss is in."""
Q = 0.5
"""Of the generalized cross entropy; Keras's default."""

_CLASSES: Presets = {
    "textbook": {"classes": 10},
    "imagenet": {"classes": 1000},  # of the challenge; Russakovsky et al. (2015), arXiv:1409.0575
}
_TOKENS: Presets = {
    "textbook": {"classes": 10},
    "gpt2_vocabulary": {"classes": 50257},  # Radford et al. (2019), section 2.3
}


def _index(c: Config) -> Mapping[str, Tensor]:
    return {"target": integers(c.batch, high=c.classes)}


def _scores_and_index(c: Config) -> Mapping[str, Tensor]:
    return {"x": normal(c.batch, c.classes), **_index(c)}


def _log_shares_and_index(c: Config) -> Mapping[str, Tensor]:
    return {"x": drawn(c.batch, c.classes, low=-12.0, high=-0.1), **_index(c)}


def _shares_and_index(c: Config) -> Mapping[str, Tensor]:
    return {"x": drawn(c.batch, c.classes, low=0.05, high=0.95), **_index(c)}


def _scores_and_one_hot(c: Config) -> Mapping[str, Tensor]:
    return {"x": normal(c.batch, c.classes), "target": one_hot(c.batch, c.classes)}


def _shares_and_one_hot(c: Config) -> Mapping[str, Tensor]:
    x = drawn(c.batch, c.classes, low=0.05, high=0.95)
    return {"x": x, "target": one_hot(c.batch, c.classes)}


def _two_distributions(c: Config) -> Mapping[str, Tensor]:
    """Nothing in the formula needs them to sum to 1."""
    of = partial(drawn, c.batch, c.classes, low=0.5 / c.classes, high=1.5 / c.classes)
    return {"x": of(), "target": of(trainable=False)}


def _several_indices(c: Config) -> Mapping[str, Tensor]:
    return {
        "x": normal(c.batch, c.classes),
        "target": integers(c.batch, min(PRESENT, c.classes), high=c.classes),
    }


def _of_a_row(c: Config) -> int:
    """Operations behind the gradient of the score that the others are held against."""
    return 4 * int(c.classes)


def _at(x: Array, t: Array) -> Array:
    """x[i, t[i]] of each row, as a column."""
    return np.take_along_axis(x, t[:, None], axis=1)


def log_softmax(x: Array) -> Array:
    """Of each row."""
    shifted = x - x.max(axis=1, keepdims=True)
    each: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return each


def _multi_margin(x: Array, t: Array) -> Array:
    over = np.maximum(0, 1 - _at(x, t) + x)
    np.put_along_axis(over, t[:, None], 0, axis=1)
    each: Array = over
    return each


def _multilabel_margin(x: Array, t: Array) -> Array:
    """By row: for each of its classes, the margins to every class that is not its own."""
    present = (np.arange(x.shape[1]) == t[:, :, None]).any(axis=1)
    over = np.maximum(0, 1 - np.take_along_axis(x, t, axis=1)[:, :, None] + x[:, None, :])
    each: Array = np.where(present[:, None, :], 0, over).sum(axis=(1, 2)) / x.shape[1]
    return each


def _padded(inputs: Arrays, _c: Config) -> tuple[Array, ...]:
    """For torch: as many places as there are classes, of which it reads those before a -1."""
    x, given = inputs["x"], inputs["target"]
    target = np.full(x.shape, -1, dtype=np.int64)
    target[:, : given.shape[1]] = given
    return x, target


def _focal(x: Array, t: Array) -> Array:
    p = x / x.sum(axis=1, keepdims=True)
    each: Array = (-t * 0.25 * (1 - p) ** 2 * np.log(p)).sum(axis=1)
    return each


def _hinge(x: Array, t: Array) -> Array:
    each: Array = np.maximum(0, ((1 - t) * x).max(axis=1) - (t * x).sum(axis=1) + 1)
    return each


def _divergence(x: Array, t: Array) -> Array:
    each: Array = (t * np.log(t / x)).sum(axis=1)
    return each


_of_one_hot = partial(loss, _shares_and_one_hot, _CLASSES)

INDICES: tuple[Layer, ...] = (
    loss(
        _scores_and_index,
        _TOKENS,
        "cross_entropy",
        "mean of -log softmax(x)[t]",
        lambda x, t: -_at(log_softmax(x), t),
        2,
        torch="CrossEntropyLoss",
        keras=keras_loss("SparseCategoricalCrossentropy", from_logits=True),
    ),
    # Keras has none of log-probabilities: of probabilities its sparse categorical cross entropy
    # makes logarithms and then, as if these were scores, a softmax.
    loss(
        _log_shares_and_index,
        _TOKENS,
        "nll_loss",
        "mean of -x[t]",
        lambda x, t: -_at(x, t),
        1,
        torch="NLLLoss",
        flops=lambda c: c.batch,
        backward_flops=lambda c: c.batch,
        traffic=lambda c, item: c.batch * (item + INDEX_BYTES) + item,
    ),
    loss(
        _scores_and_index,
        _CLASSES,
        "multi_margin_loss",
        "mean over the batch of the sum over i ≠ t of max(0, 1 - x[t] + x[i]), over the classes",
        _multi_margin,
        4,
        torch="MultiMarginLoss",
        terms=_of_a_row,
    ),
    loss(
        _several_indices,
        _CLASSES,
        "multilabel_margin_loss",
        "mean over the batch of the sum over t in T and i not in T of max(0, 1 - x[t] + x[i]), "
        "over the classes; T holds 3",
        _multilabel_margin,
        4 * PRESENT,
        torch=Builder(
            torch_loss("MultiLabelMarginLoss").build,
            inputs=_padded,
            covers=("torch.nn.MultiLabelMarginLoss",),
        ),
        traffic=lambda c, item: (
            item * (c.batch * c.classes + 1) + INDEX_BYTES * c.batch * (PRESENT + 1)
        ),
        terms=_of_a_row,
    ),
    loss(
        _shares_and_index,
        _CLASSES,
        "generalized_cross_entropy",
        "mean of (1 - x[t]^q) / q; q = 1/2",
        lambda x, t: (1 - _at(x, t) ** Q) / Q,
        2,
        keras="CategoricalGeneralizedCrossEntropy",
        source="Zhang and Sabuncu (2018), arXiv:1805.07836, equation 6",
    ),
)

CLASSES: tuple[Layer, ...] = (
    # TensorFlow's gradient is right where the targets of a row sum to 1 only; torch's always.
    loss(
        _scores_and_one_hot,
        _CLASSES,
        "categorical_cross_entropy",
        "mean of -sum of t log softmax(x)",
        lambda x, t: -(t * log_softmax(x)).sum(axis=1),
        5,
        torch="CrossEntropyLoss",
        keras=keras_loss("CategoricalCrossentropy", from_logits=True),
    ),
    # torch is given the logarithm of x, which is part of what is timed here, as it is in Keras. Its
    # own mean would be over the classes too.
    loss(
        _two_distributions,
        _CLASSES,
        "kl_divergence",
        "mean of the sum of t log(t / x)",
        _divergence,
        4,
        torch=torch_loss(
            "KLDivLoss", lambda module, c, x, t: module(x.log(), t), reduction="batchmean"
        ),
        keras="KLDivergence",
        source="Kullback and Leibler (1951), doi:10.1214/aoms/1177729694",
    ),
    _of_one_hot(
        "categorical_focal_cross_entropy",
        "mean of -sum of t (1 - p)² log(p) / 4, with p = x / sum of x",
        _focal,
        9,
        keras="CategoricalFocalCrossentropy",
        source="Lin et al. (2017), arXiv:1708.02002",
    ),
    loss(
        _scores_and_one_hot,
        _CLASSES,
        "categorical_hinge_loss",
        "mean of max(0, 1 + max of (1 - t) x - sum of t x)",
        _hinge,
        5,
        keras="CategoricalHinge",
    ),
)
