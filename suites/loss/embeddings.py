"""Losses of vectors that are to be near each other, or far apart."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from harness.layer import Array, Builder, Config, Layer, Tensor, labels, normal
from suites.loss.declaration import Presets, keras_loss, loss, torch_loss

EPSILON = 1e-6
"""Of torch's triplet loss, added to each difference."""
GAMMA, MARGIN = 80.0, 0.4
"""Of Keras's circle loss, as it sets them."""

_PRESETS: Presets = {
    "textbook": {"features": 64},
    "facenet": {"features": 128},  # Schroff et al. (2015), arXiv:1503.03832
}


def _two(c: Config) -> Mapping[str, Tensor]:
    shape = (c.batch, c.features)
    return {"x": normal(*shape), "target": Tensor(shape, trainable=False)}


def _two_and_label(c: Config) -> Mapping[str, Tensor]:
    shape = (c.batch, c.features)
    return {"x": normal(*shape), "y": normal(*shape), "target": labels(c.batch, low=-1.0)}


def _three(c: Config) -> Mapping[str, Tensor]:
    shape = (c.batch, c.features)
    return {"x": normal(*shape), "positive": normal(*shape), "negative": normal(*shape)}


def _unit_vectors(c: Config) -> Mapping[str, Tensor]:
    """Of length 1 but for chance: Keras leaves it to the model to make them so."""
    return {"x": normal(c.batch, c.features, std=c.features**-0.5)}


def _cosine(x: Array, y: Array) -> Array:
    lengths = np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1)
    cosines: Array = (x * y).sum(axis=-1) / lengths
    return cosines


def _cosine_embedding(x: Array, y: Array, t: Array) -> Array:
    cosine = _cosine(x, y)
    return np.where(t > 0, 1 - cosine, np.maximum(cosine, 0))


def _distance(x: Array, y: Array) -> Array:
    distances: Array = np.linalg.norm(x - y + EPSILON, axis=-1)
    return distances


def _triplet(x: Array, positive: Array, negative: Array) -> Array:
    each: Array = np.maximum(0, _distance(x, positive) - _distance(x, negative) + 1)
    return each


def _cosine_triplet(x: Array, positive: Array, negative: Array) -> Array:
    each: Array = np.maximum(0, _cosine(x, negative) - _cosine(x, positive) + 1)
    return each


def _torch_cosine_similarity(_c: Config) -> Any:
    from torch import nn

    return nn.CosineSimilarity(dim=-1)


def _torch_cosine_triplet(_c: Config) -> Any:
    from torch import nn
    from torch.nn.functional import cosine_similarity

    return nn.TripletMarginWithDistanceLoss(
        distance_function=lambda x, y: 1 - cosine_similarity(x, y)
    )


def _class_of_item(batch: int) -> Array:
    """Two items or three a class."""
    return np.arange(batch) % (batch // 2)


def _circle(x: Array) -> Array:
    distance = np.maximum(0, 1 - x @ x.T)
    classes = _class_of_item(len(x))
    same = np.equal.outer(classes, classes)
    pull = -GAMMA * (MARGIN + distance) * (MARGIN - distance)
    push = GAMMA * np.maximum(0, 1 + MARGIN - distance) * (1 - MARGIN - distance)
    near = np.where(same & ~np.eye(len(x), dtype=bool), pull, -np.inf)
    far = np.where(same, -np.inf, push)
    total = np.logaddexp.reduce(near, axis=1) + np.logaddexp.reduce(far, axis=1)
    each: Array = np.logaddexp(0, total)
    return each


_of_three = partial(loss, _three, _PRESETS)

EMBEDDINGS: tuple[Layer, ...] = (
    # torch has it as a layer only, so that the mean and its sign are written out.
    loss(
        _two,
        _PRESETS,
        "cosine_similarity_loss",
        "mean of -x·t / (|x| |t|)",
        lambda x, t: -_cosine(x, t),
        6,
        torch=Builder(_torch_cosine_similarity, call=lambda module, c, x, t: -module(x, t).mean()),
        keras="CosineSimilarity",
    ),
    loss(
        _two_and_label,
        _PRESETS,
        "cosine_embedding_loss",
        "mean of 1 - cos(x, y) where t = 1, of max(0, cos(x, y)) where t = -1",
        _cosine_embedding,
        6,
        torch="CosineEmbeddingLoss",
    ),
    _of_three(
        "triplet_margin_loss",
        "mean of max(0, |x - p + ε| - |x - n + ε| + 1)",
        _triplet,
        8,
        torch="TripletMarginLoss",
        source="Schroff et al. (2015), arXiv:1503.03832, equation 3, but for the squares",
    ),
    _of_three(
        "triplet_margin_with_distance_loss",
        "mean of max(0, cos(x, n) - cos(x, p) + 1)",
        _cosine_triplet,
        12,
        torch=Builder(
            _torch_cosine_triplet,
            covers=torch_loss("TripletMarginWithDistanceLoss").covers,
        ),
    ),
    loss(
        _unit_vectors,
        _PRESETS,
        "circle_loss",
        "mean of log(1 + sum over n of exp(γ max(0, 1 + m - d) (1 - m - d)) times sum over p of "
        "exp(-γ (m + d) (m - d))), with d = max(0, 1 - x·y), γ = 80, m = 0.4",
        _circle,
        0,
        keras=Builder(
            keras_loss("Circle").build,
            inputs=lambda inputs, c: (inputs["x"], _class_of_item(c.batch)),
            call=keras_loss("Circle").call,
            covers=keras_loss("Circle").covers,
        ),
        flops=lambda c: c.batch**2 * (2 * c.features + 16),
        products=lambda c: 2 * c.batch**2 * c.features,
        backward_flops=lambda c: c.batch**2 * (4 * c.features + 16),
        not_applicable=lambda c: (
            "" if c.batch > 3 else "with less than 4 items there are no two classes of two"
        ),
        source="Sun et al. (2020), arXiv:2002.10857",
    ),
)
