"""What all layers of this family have in common, whichever keys a query attends to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from harness.checks import Allowed
from harness.layer import Array, Arrays, Builder, Config, Layer
from harness.types import Value
from suites.attention.formula import (
    CHECK_LENGTH,
    attend,
    heads_apart,
    queries_keys_values,
    score_flops,
    score_products,
)
from suites.sparse_attention.plans import Plan, plan_scores

Presets: TypeAlias = Mapping[str, Mapping[str, Value]]


def sparse_layer(
    name: str,
    formula: str,
    presets: Presets,
    pattern: Callable[[Config], Array],
    scores: Callable[[Config], int],
    builders: Mapping[str, Builder],
    complexity: str,
    source: str,
    may_be_0: Sequence[str] = (),
) -> Layer:
    """A layer that is dense attention under a pattern.

    Args:
        name: of the layer.
        formula: which keys a query attends to, as text.
        presets: see `Layer`.
        pattern: see `Layer`; the reference is masked with it.
        scores: config -> how many scores of the pattern one head has for one sequence.
        builders: see `Layer`.
        complexity: see `Layer`.
        source: the paper.
        may_be_0: parameters that may; the others are 1 or more.
    """

    def reference(inputs: Arrays, _weights: Arrays, c: Config) -> Array:
        return attend(**inputs, pattern=pattern(c))

    return Layer(
        name=name,
        family="sparse_attention",
        formula=f"y = softmax(Q K^T / sqrt(d_k)) V over {formula}",
        presets=presets,
        allowed=dict.fromkeys(may_be_0, Allowed(least=0)),
        inputs=queries_keys_values,
        output=heads_apart,
        reference=reference,
        flops=lambda c: score_flops(c, c.batch * c.heads * scores(c)),
        products=lambda c: score_products(c, c.batch * c.heads * scores(c)),
        density=lambda c: scores(c) / c.seq**2,
        pattern=pattern,
        check_length=CHECK_LENGTH,
        builders=builders,
        has_seq=True,
        complexity=complexity,
        source=source,
    )


def planned_layer(
    name: str,
    formula: str,
    presets: Presets,
    pattern: Callable[[Config], Array],
    plan: Callable[[Config], Plan],
    complexity: str,
    source: str,
    may_be_0: Sequence[str] = (),
) -> Layer:
    """A `sparse_layer` that is computed as a plan says: chunks of queries in the fused kernel."""

    def torch(c: Config) -> Any:
        from suites.sparse_attention.chunked_torch import chunked_attention

        return chunked_attention(plan(c), c.seq)

    def keras(c: Config) -> Any:
        from suites.sparse_attention.chunked_keras import chunked_attention

        return chunked_attention(plan(c), c.seq)

    return sparse_layer(
        name,
        formula,
        presets,
        pattern,
        scores=lambda c: plan_scores(plan(c), c.seq),
        builders={"torch": Builder(torch), "keras": Builder(keras)},
        complexity=complexity,
        source=source,
        may_be_0=may_be_0,
    )
