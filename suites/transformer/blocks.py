"""One block of a transformer's encoder or decoder: formula, weights and operations.

Each sublayer is added to what it reads, and the sum is normalized, as in the paper: what came to
be called post-norm, with relu between the two products of the feed-forward network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from harness.layer import Array, Arrays, Config, Tensor, normal
from suites.attention.formula import attend, causal, score_flops, score_products
from suites.attention.projections import heads_first, heads_joined, width
from suites.normalization.affine import STATISTICS, standardized

Counts: TypeAlias = Mapping[str, int]
"""Of blocks, by kind."""

ENCODER, DECODER = "encoder", "decoder"
ATTENTIONS: Mapping[str, tuple[str, ...]] = {
    ENCODER: ("self_attn",),
    DECODER: ("self_attn", "multihead_attn"),
}
"""Those of a block in their order, as torch names them: a decoder's second one is crossed."""
PROJECTIONS = 4
"""Of queries, keys, values and the output."""
NORM = 4 + STATISTICS
"""Operations of an element in a layer normalization."""


def weights(kind: str, count: int, c: Config) -> dict[str, Tensor]:
    """Of so many blocks, each tensor with an axis for them first."""
    features, hidden, attentions = width(c), int(c.feedforward), len(ATTENTIONS[kind])
    feedforward_std = (2 / (features + hidden)) ** 0.5  # as `glorot`
    tensors = {
        "projections": normal(
            count, attentions, PROJECTIONS, features, features, std=features**-0.5
        ),
        "projection_biases": normal(count, attentions, PROJECTIONS, features, std=0.1),
        "up_kernel": normal(count, features, hidden, std=feedforward_std),
        "up_bias": normal(count, hidden, std=0.1),
        "down_kernel": normal(count, hidden, features, std=feedforward_std),
        "down_bias": normal(count, features, std=0.1),
        "gamma": normal(count, attentions + 1, features, mean=1.0, std=0.1),
        "beta": normal(count, attentions + 1, features, std=0.1),
    }
    return {f"{kind}_{name}": tensor for name, tensor in tensors.items()}


def each(kind: str, weights: Arrays) -> list[dict[str, Array]]:
    """The weights of one block after the other."""
    own = {
        name.removeprefix(f"{kind}_"): values
        for name, values in weights.items()
        if name.startswith(f"{kind}_")
    }
    return [{n: values[block] for n, values in own.items()} for block in range(len(own["gamma"]))]


def torch_weights(kind: str, own: Arrays) -> dict[str, Array]:
    """Of one block; norms are numbered, and queries, keys and values projected in one product."""
    named = {
        "linear1.weight": own["up_kernel"].T,
        "linear1.bias": own["up_bias"],
        "linear2.weight": own["down_kernel"].T,
        "linear2.bias": own["down_bias"],
    }
    for number, attention in enumerate(ATTENTIONS[kind]):
        kernels, biases = own["projections"][number], own["projection_biases"][number]
        named |= {
            f"{attention}.in_proj_weight": np.concatenate(kernels[:3].swapaxes(1, 2)),
            f"{attention}.in_proj_bias": np.concatenate(biases[:3]),
            f"{attention}.out_proj.weight": kernels[3].T,
            f"{attention}.out_proj.bias": biases[3],
        }
    for number, (gamma, beta) in enumerate(zip(own["gamma"], own["beta"], strict=True), start=1):
        named |= {f"norm{number}.weight": gamma, f"norm{number}.bias": beta}
    return named


def normalized(x: Array, gamma: Array, beta: Array) -> Array:
    """Layer normalization of the last axis."""
    return standardized(x, axes=(-1,)) * gamma + beta


def _attended(
    x: Array, memory: Array, kernels: Array, biases: Array, c: Config, pattern: Array | None
) -> Array:
    query, key, value = (
        heads_first(read @ kernel + bias, c)
        for read, kernel, bias in zip((x, memory, memory), kernels[:3], biases[:3], strict=True)
    )
    joined = heads_joined(attend(query, key, value, pattern), c)
    projected: Array = joined @ kernels[3] + biases[3]
    return projected


def earlier(c: Config) -> Array:
    """Which positions of its own a decoder's position sees, booleans of (queries, keys)."""
    return causal(c.seq, c.seq)


def block(x: Array, memory: Array | None, own: Arrays, c: Config) -> Array:
    """(batch, seq, width) to the same; a decoder's where there is a `memory` to attend to."""
    norms = iter(zip(own["gamma"], own["beta"], strict=True))
    reads = [(None, None)] if memory is None else [(None, earlier(c)), (memory, None)]
    projections = zip(own["projections"], own["projection_biases"], reads, strict=True)
    for kernels, biases, (read, pattern) in projections:
        attended = _attended(x, x if read is None else read, kernels, biases, c, pattern)
        x = normalized(x + attended, *next(norms))
    hidden = np.maximum(x @ own["up_kernel"] + own["up_bias"], 0)
    return normalized(x + hidden @ own["down_kernel"] + own["down_bias"], *next(norms))


def _scores(kind: str, c: Config) -> int:
    """That count in a block: a decoder attends to no later position of its own."""
    seq = int(c.seq)
    of_head = seq**2 if kind == ENCODER else seq * (seq + 1) // 2 + seq**2
    return int(c.batch * c.heads) * of_head


def products(kind: str, c: Config) -> int:
    """Operations of the matrix products in a block."""
    features = width(c)
    kernels = len(ATTENTIONS[kind]) * PROJECTIONS * features**2 + 2 * features * c.feedforward
    return 2 * int(c.batch * c.seq * kernels) + score_products(c, _scores(kind, c))


def flops(kind: str, c: Config) -> int:
    """All operations of a block: also relu, and of each sublayer its sum and normalization."""
    sublayers = len(ATTENTIONS[kind]) + 1
    elements = c.feedforward + sublayers * (1 + NORM) * width(c)
    scores = _scores(kind, c)
    of_scores = score_flops(c, scores) - score_products(c, scores)
    return products(kind, c) + of_scores + int(c.batch * c.seq * elements)


def density(counts: Counts, c: Config) -> float:
    """Share of the scores that count, over all attentions of so many blocks."""
    all_scores = int(c.batch * c.heads * c.seq**2)
    there = sum(count * len(ATTENTIONS[kind]) for kind, count in counts.items())
    return sum(count * _scores(kind, c) for kind, count in counts.items()) / (there * all_scores)
