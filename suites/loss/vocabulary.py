"""Losses that hold the output layer of a language model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.layer import (
    Array,
    Arrays,
    Builder,
    Config,
    Layer,
    Tensor,
    canonical,
    glorot,
    integers,
    normal,
)
from suites.loss.classes import log_softmax

_ADAPTIVE = "adaptive_log_softmax"
_REDUCED = 4
"""Each cluster's vectors are so much shorter than those before; torch's default."""
_DRAWS = 2**30


def _index(c: Config) -> Mapping[str, Tensor]:
    return {"target": integers(c.batch, high=_DRAWS)}


def _words(drawn: Array, c: Config) -> Array:
    """Ranks of words, the frequent first: log-uniform, which is about what Zipf's law says."""
    return (np.power(float(c.classes), drawn / _DRAWS)).astype(np.int64) - 1


def _clusters(c: Config) -> list[tuple[int, int]]:
    """First word and end, of the shortlist and of the clusters of the rare."""
    return [(0, c.shortlist), (c.shortlist, c.common), (c.common, c.classes)]


def _widths(c: Config) -> list[int]:
    """Of the vectors of each cluster of the rare."""
    return [int(c.in_features) // _REDUCED ** (i + 1) for i in range(2)]


def _rows(c: Config) -> list[int]:
    """Targets in each cluster: the work depends on them, so they are counted as they are drawn."""
    words = _words(canonical(_ADAPTIVE, _index(c))["target"], c)
    return [int(((low <= words) & (words < high)).sum()) for low, high in _clusters(c)]


def _adaptive_weights(c: Config) -> Mapping[str, Tensor]:
    tails = {}
    for i, (width, (low, high)) in enumerate(zip(_widths(c), _clusters(c)[1:], strict=True)):
        tails[f"down_{i}"] = glorot(c.in_features, width)
        tails[f"up_{i}"] = glorot(width, high - low)
    return {"head": glorot(c.in_features, c.shortlist + 2), **tails}


def _adaptive(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    x, words = inputs["x"], _words(inputs["target"], c)
    head = log_softmax(x @ weights["head"])
    total = 0.0
    for i, (low, high) in enumerate(_clusters(c)):
        rows = np.flatnonzero((low <= words) & (words < high))
        own = words[rows] - low
        if i == 0:
            total += head[rows, own].sum()
            continue
        tail = log_softmax(x[rows] @ weights[f"down_{i - 1}"] @ weights[f"up_{i - 1}"])
        total += head[rows, c.shortlist + i - 1].sum() + tail[np.arange(len(rows)), own].sum()
    return np.asarray(-total / len(words))


def _torch_adaptive(c: Config) -> Any:
    from torch import nn

    return nn.AdaptiveLogSoftmaxWithLoss(
        c.in_features, c.classes, [c.shortlist, c.common], div_value=_REDUCED
    )


def _torch_adaptive_weights(weights: Arrays, _c: Config) -> Arrays:
    tails = {}
    for i in range(2):
        tails[f"tail.{i}.0.weight"] = weights[f"down_{i}"].T
        tails[f"tail.{i}.1.weight"] = weights[f"up_{i}"].T
    return {"head.weight": weights["head"].T, **tails}


def _adaptive_products(c: Config) -> int:
    multiplied = c.batch * c.in_features * (c.shortlist + 2)
    tails = zip(_rows(c)[1:], _widths(c), _clusters(c)[1:], strict=True)
    multiplied += sum(n * width * (c.in_features + high - low) for n, width, (low, high) in tails)
    return int(2 * multiplied)


def _adaptive_flops(c: Config) -> int:
    """The products, and exp and sum of each softmax."""
    rows, clusters = _rows(c)[1:], _clusters(c)[1:]
    scores = c.batch * (c.shortlist + 2)
    scores += sum(n * (high - low) for n, (low, high) in zip(rows, clusters, strict=True))
    return _adaptive_products(c) + int(2 * scores)


ADAPTIVE_LOG_SOFTMAX = Layer(
    name=_ADAPTIVE,
    family="loss",
    formula="mean of -log p(t), with p = softmax(W x) of the shortlist's words and of 2 clusters, "
    "and p(cluster) softmax(V U x) of a cluster's words; words by Zipf's law",
    presets={
        "textbook": {"in_features": 32, "classes": 1000, "shortlist": 50, "common": 250},
        # The text8 model of the paper.
        "text8": {"in_features": 512, "classes": 44000, "shortlist": 2000, "common": 10000},
    },
    inputs=lambda c: {"x": normal(c.batch, c.in_features), **_index(c)},
    weights=_adaptive_weights,
    output=lambda c: (),
    reference=_adaptive,
    flops=_adaptive_flops,
    products=_adaptive_products,
    builders={
        "torch": Builder(
            _torch_adaptive,
            weights=_torch_adaptive_weights,
            inputs=lambda inputs, c: (inputs["x"], _words(inputs["target"], c)),
            call=lambda module, c, x, target: module(x, target).loss,
            covers=("torch.nn.AdaptiveLogSoftmaxWithLoss",),
        )
    },
    lacking={"keras": "keras.losses has no such loss"},
    not_applicable=lambda c: (
        "with so few targets a cluster has none, and its weights have no gradient"
        if c.training and not all(_rows(c))
        else ""
    ),
    source="Grave et al. (2017), arXiv:1609.04309",
)


def _linear_cross_entropy(inputs: Arrays, weights: Arrays, _c: Config) -> Array:
    log_p = log_softmax(inputs["x"] @ weights["kernel"])
    return np.asarray(-np.take_along_axis(log_p, inputs["target"][:, None], axis=1).mean())


def _torch_linear(c: Config) -> Any:
    from torch import nn

    return nn.LinearCrossEntropyLoss(c.in_features, c.classes)


LINEAR_CROSS_ENTROPY = Layer(
    name="linear_cross_entropy",
    family="loss",
    formula="mean of -log softmax(W x)[t]",
    presets={
        "textbook": {"in_features": 32, "classes": 1000},
        # The output layer of the medium model of Zaremba et al. (2014), arXiv:1409.2329.
        "language_model": {"in_features": 650, "classes": 10000},
    },
    inputs=lambda c: {
        "x": normal(c.batch, c.in_features),
        "target": integers(c.batch, high=c.classes),
    },
    weights=lambda c: {"kernel": glorot(c.in_features, c.classes)},
    output=lambda c: (),
    reference=_linear_cross_entropy,
    flops=lambda c: 2 * c.batch * c.classes * (c.in_features + 1),
    products=lambda c: 2 * c.batch * c.classes * c.in_features,
    builders={
        "torch": Builder(
            _torch_linear,
            weights=lambda weights, c: {"linear.weight": weights["kernel"].T},
            covers=("torch.nn.LinearCrossEntropyLoss",),
        )
    },
    lacking={"keras": "keras.losses has no loss with weights of its own"},
)
