"""Embeddings: rows of a table by their indices, one by one or in bags, and back.

A lookup reads the rows that are asked for, and computes nothing; bags add up. The gradient of the
table is dense in every framework here, as in an update with momentum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.layer import Array, Arrays, Config, Layer, Tensor, integers, normal
from harness.problem import INDEX_BYTES
from harness.types import UsageError, Value
from suites._builders import keras_layer, torch_module
from suites._lacking import NO_KERAS, NO_TORCH

# 10,000 words of the Penn Treebank in the medium model: Zaremba et al. (2014), arXiv:1409.2329,
# section 4.1.
_LANGUAGE: Mapping[str, Mapping[str, Value]] = {
    "textbook": {"vocabulary": 1000, "features": 64},
    "zaremba_medium_ptb": {"vocabulary": 10000, "features": 650},
}


def _table(c: Config) -> Mapping[str, Tensor]:
    return {"table": normal(c.vocabulary, c.features)}


def _rows_traffic(c: Config, rows: int, results: int, item: int) -> int:
    """Indices and their rows are read, results are written."""
    return int(rows * (INDEX_BYTES + c.features * item) + results * c.features * item)


def _tokens(c: Config) -> int:
    return c.batch * c.seq


EMBEDDING = Layer(
    name="embedding",
    family="embedding",
    formula="y[t] = E[i[t]]",
    presets=_LANGUAGE,
    inputs=lambda c: {"i": integers(c.batch, c.seq, high=c.vocabulary)},
    weights=_table,
    output=lambda c: (c.batch, c.seq, c.features),
    reference=lambda inputs, weights, c: weights["table"][inputs["i"]],
    flops=lambda c: 0,
    backward_flops=lambda c: _tokens(c) * c.features,  # sums
    traffic=lambda c, item: _rows_traffic(c, _tokens(c), _tokens(c), item),
    builders={
        "torch": torch_module(
            "Embedding",
            lambda c: {"num_embeddings": c.vocabulary, "embedding_dim": c.features},
            weights=lambda weights, c: {"weight": weights["table"]},
        ),
        "keras": keras_layer(
            "Embedding",
            lambda c: {"input_dim": c.vocabulary, "output_dim": c.features},
            weights=lambda weights, c: {"embeddings": weights["table"]},
        ),
    },
    has_seq=True,
)

_BAGS = {
    "sum": lambda rows: rows.sum(-2),
    "mean": lambda rows: rows.mean(-2),
    "max": lambda rows: rows.max(-2),
}


def _bag_inputs(c: Config) -> Mapping[str, Tensor]:
    if c.mode not in _BAGS:
        raise UsageError(f"no mode {c.mode!r}; choose one of: {', '.join(_BAGS)}")
    return {"i": integers(c.batch, c.bag, high=c.vocabulary)}


def _bags(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    bags: Array = _BAGS[c.mode](weights["table"][inputs["i"]])
    return bags


EMBEDDING_BAG = Layer(
    name="embedding_bag",
    family="embedding",
    formula="y = sum, mean or maximum of E[i], for i in a bag",
    presets={
        "textbook": {"vocabulary": 1000, "features": 64, "bag": 8, "mode": "mean"},
        # The benchmark of DLRM (bench/dlrm_s_benchmark.sh of facebookresearch/dlrm) with a tenth of
        # its million rows, as they have a dense gradient here: arXiv:1906.00091, section 5.
        "dlrm": {"vocabulary": 100000, "features": 64, "bag": 100, "mode": "sum"},
    },
    inputs=_bag_inputs,
    weights=_table,
    output=lambda c: (c.batch, c.features),
    reference=_bags,
    flops=lambda c: c.batch * c.bag * c.features,
    backward_flops=lambda c: c.batch * c.bag * c.features,
    traffic=lambda c, item: _rows_traffic(c, c.batch * c.bag, c.batch, item),
    builders={
        "torch": torch_module(
            "EmbeddingBag",
            lambda c: {
                "num_embeddings": c.vocabulary,
                "embedding_dim": c.features,
                "mode": c.mode,
            },
            weights=lambda weights, c: {"weight": weights["table"]},
        )
    },
    lacking=NO_KERAS,
)


def _reversed(module: Any, _c: Config, x: Any) -> Any:
    return module(x, reverse=True)


def _projection(c: Config) -> int:
    return int(2 * c.batch * c.vocabulary * c.features)


# Forward it is `embedding`; this is its other direction.
REVERSIBLE_EMBEDDING = Layer(
    name="reversible_embedding",
    family="embedding",
    formula="y = E x, with the table that embeds",
    presets=_LANGUAGE,
    inputs=lambda c: {"x": normal(c.batch, c.features)},
    weights=_table,
    output=lambda c: (c.batch, c.vocabulary),
    reference=lambda inputs, weights, c: inputs["x"] @ weights["table"].T,
    flops=_projection,
    products=_projection,
    builders={
        "keras": keras_layer(
            "ReversibleEmbedding",
            lambda c: {"input_dim": c.vocabulary, "output_dim": c.features},
            weights=lambda weights, c: {"embeddings": weights["table"]},
            call=_reversed,
        )
    },
    lacking=NO_TORCH,
    source="Press and Wolf (2017), arXiv:1608.05859",
)
