"""Distances and similarities between two vectors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.layer import Array, Arrays, Config, Layer
from harness.types import Value
from suites._builders import keras_layer, torch_module
from suites._lacking import NO_KERAS
from suites.merging import as_list, pair

EPSILON = 1e-6
"""What torch adds to each difference, its default."""
PRESETS: Mapping[str, Mapping[str, Value]] = {
    "textbook": {"features": 64},
    # Query against passage of BERT-base: Karpukhin et al. (2020), arXiv:2004.04906, section 3.
    "dpr": {"features": 768},
}


def _cosine(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    x, y = inputs["x0"], inputs["x1"]
    similarity: Array = (x * y).sum(-1) / np.sqrt((x**2).sum(-1) * (y**2).sum(-1))
    return similarity


# torch holds each norm above 1e-8, Keras each squared norm above 1e-12 before it takes the root:
# for vectors that are not next to 0 neither is there. Keras normalizes both vectors, then
# multiplies; torch divides the product.
COSINE_SIMILARITY = Layer(
    name="cosine_similarity",
    family="distance",
    formula="y = sum of a b / (|a| |b|)",
    presets=PRESETS,
    inputs=pair,
    output=lambda c: (c.batch,),
    reference=_cosine,
    flops=lambda c: 6 * c.batch * c.features,  # three products and sums
    builders={
        "torch": torch_module("CosineSimilarity", lambda c: {"dim": -1}),
        "keras": keras_layer(
            "Dot",
            lambda c: {"axes": -1, "normalize": True},
            call=as_list,
            output=lambda output, c: output[:, 0],
        ),
    },
)


def _pairwise(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    difference = np.abs(inputs["x0"] - inputs["x1"] + EPSILON)
    norm: Array = (difference**c.p).sum(-1) ** (1 / c.p)
    return norm


PAIRWISE_DISTANCE = Layer(
    name="pairwise_distance",
    family="distance",
    formula="y = (sum of |a - b + 1e-6|^p)^(1 / p)",
    presets={name: {**sizes, "p": 2.0} for name, sizes in PRESETS.items()},
    inputs=pair,
    output=lambda c: (c.batch,),
    reference=_pairwise,
    flops=lambda c: 4 * c.batch * c.features,  # difference, epsilon, power, sum
    builders={"torch": torch_module("PairwiseDistance", lambda c: {"p": c.p, "eps": EPSILON})},
    lacking=NO_KERAS,
)
