"""What dense attention declares: references against loops, and counts against what is drawn."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from dense_cases import DENSE, MASKED, parameters

from harness.layer import Array, Arrays, Config, Layer, canonical
from harness.runner import ruled_out
from harness.types import Case, Status
from suites.attention import (
    ADDITIVE_ATTENTION,
    CROSS_ATTENTION,
    DECODE_ATTENTION,
    GROUP_QUERY_ATTENTION_LAYER,
    MULTI_QUERY_ATTENTION,
    SDPA_CUDNN,
    SDPA_EFFICIENT,
    SDPA_FLASH,
    SDPA_MATH,
)

FORCED = (SDPA_MATH, SDPA_FLASH, SDPA_EFFICIENT, SDPA_CUDNN)
CASES = [
    pytest.param(layer, Config(2, seq, False, params), id=f"{layer.name}-{seq}-{params}")
    for layer in DENSE
    for params in parameters(layer)
    for seq in (1, 7)
]


def drawn(layer: Layer, c: Config) -> tuple[Arrays, Arrays]:
    """Inputs and weights in float64."""
    inputs, weights = layer.inputs(c), layer.weights(c)
    values = canonical(layer.name, {**inputs, **weights})
    double = {name: array.astype(np.float64) for name, array in values.items()}
    return {name: double[name] for name in inputs}, {name: double[name] for name in weights}


def visible(c: Config, query: int, keys: int) -> list[int]:
    """Indices of the keys that a query sees."""
    last = query if c.params.get("causal") else keys - 1
    real = keys - math.floor(keys * float(c.params.get("padding", 0.0)))  # type: ignore[arg-type]
    return [key for key in range(keys) if key <= last and key < real]


def by_loop(c: Config, query: Array, key: Array, value: Array, scale: Array | None) -> Array:
    """One query at a time; scores are additive if there is a scale."""
    result = np.zeros((*query.shape[:3], value.shape[-1]))
    group = query.shape[1] // key.shape[1]
    for b, h, i in product(*map(range, query.shape[:3])):
        seen = visible(c, i, key.shape[2])
        weights = []
        for j in seen:
            q, k = query[b, h, i], key[b, h // group, j]
            dot = sum(q * k) / math.sqrt(len(q))
            weights.append(math.exp(dot if scale is None else sum(scale * np.tanh(q + k))))
        for weight, j in zip(weights, seen, strict=True):
            result[b, h, i] += weight / sum(weights) * value[b, h // group, j]
    return result


@pytest.mark.parametrize(("layer", "c"), CASES)
def test_the_reference_is_a_loop_over_visible_keys(layer: Layer, c: Config) -> None:
    inputs, weights = drawn(layer, c)
    assert layer.reference is not None
    found = layer.reference(inputs, weights, c)
    if layer is GROUP_QUERY_ATTENTION_LAYER:
        projected = {}
        for name in ("query", "key", "value"):
            rows = inputs["x"] @ weights[f"{name}_kernel"] + weights[f"{name}_bias"]
            heads = np.split(rows, rows.shape[-1] // int(c.head_dim), axis=-1)
            projected[name] = np.stack(heads, axis=1)
        joined = np.concatenate(list(by_loop(c, **projected, scale=None).swapaxes(0, 1)), axis=-1)
        expected = joined @ weights["output_kernel"] + weights["output_bias"]
    else:
        expected = by_loop(c, **inputs, scale=weights.get("scale"))
    assert found.shape == layer.output(c)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("layer", "c"), CASES)
def test_counts_are_those_of_the_drawn_pattern(layer: Layer, c: Config) -> None:
    if layer.pattern is None or layer.density is None:
        assert layer in (CROSS_ATTENTION, DECODE_ATTENTION)
        return
    assert layer.products is not None
    pattern = layer.pattern(c)
    assert pattern.tolist() == [
        [key in visible(c, query, c.seq) for key in range(c.seq)] for query in range(c.seq)
    ]
    assert layer.density(c) == pytest.approx(pattern.mean())
    scores = int(pattern.sum()) * c.batch * c.heads
    width, head_dim = c.heads * c.head_dim, c.head_dim
    if layer is ADDITIVE_ATTENTION:
        assert layer.products(c) == 2 * scores * head_dim
        assert layer.flops(c) == scores * (6 * head_dim + 3)
        return
    projections = 0
    if layer is GROUP_QUERY_ATTENTION_LAYER:
        features = 2 * width + 2 * c.kv_heads * head_dim
        projections = 2 * c.batch * c.seq * width * features
    assert layer.products(c) == projections + 4 * scores * head_dim
    assert layer.flops(c) == layer.products(c) + 4 * scores


@pytest.mark.parametrize("layer", [CROSS_ATTENTION, DECODE_ATTENTION], ids=lambda x: x.name)
def test_counts_of_another_sequence_are_queries_times_keys(layer: Layer) -> None:
    c = Config(3, 7, False, {"heads": 2, "head_dim": 5, "memory": 11})
    scores = 3 * 2 * (7 * 11 if layer is CROSS_ATTENTION else 7)
    assert layer.products is not None
    assert (layer.products(c), layer.flops(c)) == (20 * scores, 24 * scores)


def test_padding_leaves_a_key() -> None:
    for layer in MASKED:
        params = dict(layer.presets["textbook"])
        assert layer.pattern is not None
        assert layer.pattern(Config(1, 3, False, {**params, "padding": 0.99})).any(axis=1).all()


def test_multi_query_attention_has_one_head_of_keys_and_values() -> None:
    c = Config(2, 3, False, {"heads": 4, "head_dim": 5, "causal": False})
    shapes = {name: tensor.shape for name, tensor in MULTI_QUERY_ATTENTION.inputs(c).items()}
    assert shapes == {"query": (2, 4, 3, 5), "key": (2, 1, 3, 5), "value": (2, 1, 3, 5)}


def test_decoding_has_no_training() -> None:
    params = DECODE_ATTENTION.presets["textbook"]
    assert DECODE_ATTENTION.not_applicable(Config(1, 3, True, params))
    assert not DECODE_ATTENTION.not_applicable(Config(1, 3, False, params))


@pytest.mark.parametrize("mode", ["forward", "train"])
@pytest.mark.parametrize("layer", FORCED, ids=lambda layer: layer.name)
def test_a_kernel_of_torchs_is_unsupported_in_keras_and_says_what_keras_has(
    layer: Layer, mode: str
) -> None:
    """Known without a worker."""
    params = tuple(layer.presets["textbook"].items())
    case = Case(layer.name, "tensorflow", "cpu", mode, "eager", "float32", 1, 1, 8, params)
    verdict = ruled_out(case, layer)
    assert verdict is not None
    status, reason = verdict
    kernel = layer.name.removeprefix("sdpa_")
    assert status is Status.UNSUPPORTED
    assert reason.startswith(f"the {kernel} kernel is torch's; ")
    assert "eras" in reason.partition(";")[2]


@pytest.mark.parametrize("layer", DENSE, ids=lambda layer: layer.name)
def test_presets_begin_with_the_textbook_and_then_what_is_realistic(layer: Layer) -> None:
    assert list(layer.presets)[:2] == ["textbook", "bert_like"]
    assert layer.family == "attention"
    assert set(layer.builders) | set(layer.lacking) == {"torch", "keras"}
    assert (layer in FORCED) == ("keras" in layer.lacking)
