"""The references of dense attention, against values worked out by hand and their own relations."""

from __future__ import annotations

import math

import numpy as np

from harness.layer import Array, Arrays, Config, canonical
from suites.attention import ATTENTION, ATTENTION_PROJECTED, MULTI_HEAD_ATTENTION
from suites.attention.projections import PROJECTIONS


def config(heads: int, head_dim: int, seq: int) -> Config:
    return Config(1, seq, False, {"heads": heads, "head_dim": head_dim})


def attend(query: Array, key: Array, value: Array) -> Array:
    assert ATTENTION.reference is not None
    inputs = {"query": query[None], "key": key[None], "value": value[None]}
    return ATTENTION.reference(inputs, {}, config(1, query.shape[-1], len(query)))[0]


def test_scores_are_divided_by_the_root_of_the_head_dim() -> None:
    # Scores 0 and 2 ln 3, divided by sqrt(4): weights 1 to 3.
    query = np.array([[1.0, 0, 0, 0], [0, 0, 0, 0]])
    key = np.array([[0.0, 0, 0, 0], [2 * math.log(3), 0, 0, 0]])
    value = np.array([[0.0, 0, 0, 8], [4, 0, 0, 0]])
    np.testing.assert_allclose(attend(query, key, value), [[3, 0, 0, 2], [2, 0, 0, 4]])


def test_large_scores_do_not_overflow() -> None:
    query = np.full((2, 4), 1e3)
    np.testing.assert_allclose(
        attend(query, query, np.eye(2, 4)), np.full((2, 4), [0.5, 0.5, 0, 0])
    )


def project(x: Array, heads: int, weights: Arrays) -> Array:
    """The projected form of one sequence (seq, width)."""
    assert ATTENTION_PROJECTED.reference is not None
    c = config(heads, x.shape[-1] // heads, len(x))
    return ATTENTION_PROJECTED.reference({"x": x[None]}, weights, c)[0]


def test_with_projections_that_pass_everything_it_is_self_attention_head_by_head() -> None:
    x = np.random.default_rng(0).standard_normal((5, 6))
    kernels = {f"{name}_kernel": np.eye(6) for name in PROJECTIONS}
    passing = kernels | {f"{name}_bias": np.zeros(6) for name in PROJECTIONS}
    np.testing.assert_allclose(project(x, 1, passing), attend(x, x, x))
    halves = [attend(half, half, half) for half in np.split(x, 2, axis=-1)]
    np.testing.assert_allclose(project(x, 2, passing), np.concatenate(halves, axis=-1))


def test_each_projection_is_applied_where_the_formula_says() -> None:
    c = config(1, 6, 5)
    tensors = {**MULTI_HEAD_ATTENTION.inputs(c), **MULTI_HEAD_ATTENTION.weights(c)}
    w = {k: v.astype(np.float64) for k, v in canonical("attention", tensors).items()}
    x = w["x"][0]
    query, key, value = (x @ w[f"{name}_kernel"] + w[f"{name}_bias"] for name in PROJECTIONS)
    expected = attend(query, key, value)
    np.testing.assert_allclose(project(x, 1, w), expected)
    assert MULTI_HEAD_ATTENTION.reference is not None
    multi_head = MULTI_HEAD_ATTENTION.reference({"x": x[None]}, w, c)[0]
    np.testing.assert_allclose(multi_head, expected @ w["output_kernel"] + w["output_bias"])
