"""The references of the sub-quadratic layers, against loops over time and their own limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from approximations import approximated

from harness.layer import Array, Arrays, Config, Layer, canonical, orthogonal
from harness.types import Value
from suites.attention.formula import attend, causal
from suites.linear_attention import (
    LINEAR_ATTENTION,
    LINFORMER_ATTENTION,
    NYSTROMFORMER_ATTENTION,
    PERFORMER_ATTENTION,
    RETENTION,
    SELECTIVE_STATE_SPACE,
)
from suites.linear_attention.retention import decays

LAYERS = (
    LINEAR_ATTENTION,
    LINFORMER_ATTENTION,
    NYSTROMFORMER_ATTENTION,
    PERFORMER_ATTENTION,
    RETENTION,
    SELECTIVE_STATE_SPACE,
)


def config(seq: int, batch: int = 2, **params: Value) -> Config:
    return Config(batch, seq, False, {"heads": 2, "head_dim": 4, **params})


def drawn(layer: Layer, c: Config) -> tuple[dict[str, Array], dict[str, Array]]:
    """(inputs, weights) in float64."""
    inputs, weights = (
        {k: v.astype(np.float64) for k, v in canonical(layer.name, tensors(c)).items()}
        for tensors in (layer.inputs, layer.weights)
    )
    return inputs, weights


def reference(layer: Layer, inputs: Arrays, weights: Arrays, c: Config) -> Array:
    assert layer.reference is not None
    return layer.reference(inputs, weights, c)


def error(layer: Layer, inputs: Arrays, weights: Arrays, c: Config) -> float:
    """How far the layer is from what it approximates, relative."""
    full = approximated(layer, inputs, weights, c)
    off = reference(layer, inputs, weights, c) - full
    return float(np.linalg.norm(off) / np.linalg.norm(full))


def test_linformer_with_identities_for_projections_is_full_attention() -> None:
    c = config(6, rank=6)
    inputs, _ = drawn(LINFORMER_ATTENTION, c)
    weights = {"key_projection": np.eye(6), "value_projection": np.eye(6)}
    found = reference(LINFORMER_ATTENTION, inputs, weights, c)
    np.testing.assert_allclose(found, attend(**inputs))


def test_linformer_projects_keys_by_one_weight_and_values_by_the_other() -> None:
    c = config(6, rank=1)
    inputs, weights = drawn(LINFORMER_ATTENTION, c)
    # Of one row softmax is 1: every output is the projected value.
    expected = np.einsum("rn,bhnd->bhrd", weights["value_projection"], inputs["value"])
    found = reference(LINFORMER_ATTENTION, inputs, weights, c)
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape))
    last = {"key_projection": np.eye(6)[[0, 5]], "value_projection": np.eye(6)[[0, 5]]}
    ends = (inputs[name][:, :, [0, 5]] for name in ("key", "value"))
    found = reference(LINFORMER_ATTENTION, inputs, last, config(6, rank=2))
    np.testing.assert_allclose(found, attend(inputs["query"], *ends))


def linear_recurrence(query: Array, key: Array, value: Array) -> Array:
    """Of features, a position at a time; the last two axes are seq and features."""
    state = np.zeros((*key.shape[:-2], key.shape[-1], value.shape[-1]))
    total, outputs = np.zeros((*key.shape[:-2], key.shape[-1])), []
    for q, k, v in zip(*(np.moveaxis(x, -2, 0) for x in (query, key, value)), strict=True):
        state, total = state + k[..., None] * v[..., None, :], total + k
        outputs.append(np.einsum("...m,...md->...d", q, state) / (q * total).sum(-1)[..., None])
    return np.stack(outputs, axis=-2)


def elu_features(x: Array) -> Array:
    return np.vectorize(lambda number: number + 1 if number > 0 else math.exp(number))(x)


def test_causal_linear_attention_is_the_recurrence_over_time() -> None:
    c = config(9, causal=True)
    inputs, _ = drawn(LINEAR_ATTENTION, c)
    query, key = elu_features(inputs["query"]), elu_features(inputs["key"])
    expected = linear_recurrence(query, key, inputs["value"])
    np.testing.assert_allclose(reference(LINEAR_ATTENTION, inputs, {}, c), expected)


def test_linear_attention_at_the_last_position_is_the_same_causal_or_not() -> None:
    inputs, _ = drawn(LINEAR_ATTENTION, config(9))
    both = [reference(LINEAR_ATTENTION, inputs, {}, config(9, causal=x)) for x in (True, False)]
    np.testing.assert_allclose(both[0][..., -1, :], both[1][..., -1, :])
    assert not np.allclose(both[0][..., 0, :], both[1][..., 0, :])


@pytest.mark.parametrize("masked", [False, True])
def test_performer_is_the_quotient_of_sums_of_its_features(masked: bool) -> None:
    c = config(7, features=5, causal=masked)
    inputs, weights = drawn(PERFORMER_ATTENTION, c)

    def features(x: Array) -> Array:
        x = x / 4**0.25
        return np.exp(x @ weights["projection"].T - (x**2).sum(-1, keepdims=True) / 2)

    query, key, value = features(inputs["query"]), features(inputs["key"]), inputs["value"]
    expected = linear_recurrence(query, key, value)
    if not masked:  # the last position sees all keys: every query is put there once
        keys = [np.roll(x, 1, axis=-2) for x in (key, value)]
        expected = np.stack(
            [
                linear_recurrence(np.repeat(query[..., i, None, :], 7, -2), *keys)[..., -1, :]
                for i in range(7)
            ],
            axis=-2,
        )
    np.testing.assert_allclose(reference(PERFORMER_ATTENTION, inputs, weights, c), expected)


@pytest.mark.parametrize("masked", [False, True])
def test_performer_nears_softmax_attention_as_features_grow(masked: bool) -> None:
    errors = []
    for features in (4, 64, 1024):
        c = config(32, features=features, causal=masked)
        inputs, weights = drawn(PERFORMER_ATTENTION, c)
        # The variance of the estimate grows with the exponential of the scores.
        inputs |= {name: inputs[name] / 2 for name in ("query", "key")}
        errors.append(error(PERFORMER_ATTENTION, inputs, weights, c))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
    assert errors[2] < 0.05


def test_performer_stays_finite_where_its_exponents_do_not() -> None:
    c = config(6, features=8, causal=True)
    inputs, weights = drawn(PERFORMER_ATTENTION, c)
    large = {name: 30 * x for name, x in inputs.items()}
    with np.errstate(under="ignore"):
        found = reference(PERFORMER_ATTENTION, {**large, "key": inputs["key"]}, weights, c)
    assert np.isfinite(found).all()


def test_orthogonal_rows_are_so_in_blocks_and_as_long_as_normal_vectors() -> None:
    rows = orthogonal(10, 4).draw(np.random.default_rng(0)).astype(np.float64)
    for block in (rows[:4], rows[4:8], rows[8:]):
        products = block @ block.T
        np.testing.assert_allclose(products, np.diag(np.diag(products)), atol=1e-5)
    many = orthogonal(4000, 4).draw(np.random.default_rng(1))
    assert many.mean() == pytest.approx(0, abs=0.05)
    assert (many**2).sum(-1).mean() == pytest.approx(4, rel=0.05)
    assert (many**2).sum(-1).var() == pytest.approx(8, rel=0.1)


def test_nystromformer_with_a_landmark_each_position_is_full_attention() -> None:
    # Few steps reach the pseudo-inverse of a matrix that is near the identity only.
    c = config(6, landmarks=6)
    inputs, _ = drawn(NYSTROMFORMER_ATTENTION, c)
    apart = 4 * np.concatenate([np.eye(4), -np.eye(4)])[:6] + inputs["query"] / 10
    inputs = {"query": apart, "key": apart, "value": inputs["value"]}
    found = reference(NYSTROMFORMER_ATTENTION, inputs, {}, c)
    np.testing.assert_allclose(found, attend(**inputs), atol=1e-3)


def test_nystromformer_takes_means_of_segments_the_shorter_ones_first() -> None:
    c = config(5, landmarks=2)
    inputs, _ = drawn(NYSTROMFORMER_ATTENTION, c)
    # Two segments that are far apart: six steps from the middle matrix are its inverse.
    apart = np.array([2, 2, -2, -2, -2])[:, None] + inputs["query"] / 10
    inputs = {"query": apart, "key": apart, "value": inputs["value"]}

    def means(x: Array) -> Array:
        return np.stack([x[:, :, :2].mean(2), x[:, :, 2:].mean(2)], axis=2)

    query, key = means(inputs["query"]), means(inputs["key"])
    identity = np.broadcast_to(np.eye(2), (2, 2, 2, 2))
    inverse = np.linalg.inv(attend(query, key, identity))
    landmarks = attend(query, inputs["key"], inputs["value"])
    expected = attend(inputs["query"], key, inverse @ landmarks)
    found = reference(NYSTROMFORMER_ATTENTION, inputs, {}, c)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_parallel_form_of_retention_is_its_recurrent_form() -> None:
    c = config(9, chunk=4)
    inputs, _ = drawn(RETENTION, c)
    gamma, state, outputs = decays(2)[:, None, None], np.zeros((2, 2, 4, 4)), []
    for t in range(9):
        q, k, v = (inputs[name][:, :, t, None] for name in ("query", "key", "value"))
        state = gamma * state + k.swapaxes(-2, -1) @ v
        outputs.append(q @ state)
    expected = np.concatenate(outputs, axis=2)
    np.testing.assert_allclose(reference(RETENTION, inputs, {}, c), expected)


def test_the_parallel_form_of_retention_is_its_chunkwise_form() -> None:
    c = config(8, chunk=4)
    inputs, _ = drawn(RETENTION, c)
    gamma, state, outputs = decays(2)[:, None, None], np.zeros((2, 2, 4, 4)), []
    steps = np.arange(4)
    within = np.tril(gamma ** np.abs(np.subtract.outer(steps, steps)))
    for start in (0, 4):
        q, k, v = (inputs[n][:, :, start : start + 4] for n in ("query", "key", "value"))
        inner = (q @ k.swapaxes(-2, -1) * within) @ v
        outputs.append(inner + q @ state * gamma ** (steps + 1)[:, None])
        state = gamma**4 * state + k.swapaxes(-2, -1) @ (v * gamma ** (3 - steps)[:, None])
    expected = np.concatenate(outputs, axis=2)
    np.testing.assert_allclose(reference(RETENTION, inputs, {}, c), expected)


def test_heads_of_retention_decay_as_the_paper_says() -> None:
    np.testing.assert_array_equal(decays(3), [31 / 32, 63 / 64, 127 / 128])


def test_the_state_space_of_one_feature_is_what_a_calculation_by_hand_gives() -> None:
    c = Config(1, 2, False, {"heads": 1, "head_dim": 1, "state": 1})
    scalars = {"delta_down": 1, "delta_up": 0, "delta_bias": math.log(math.e - 1)}
    kernels = {"input_kernel": 2, "output_kernel": 3, "log_rate": math.log(0.5)}
    weights = {name: np.full((1, 1), float(x)) for name, x in {**scalars, **kernels}.items()}
    weights |= {"delta_bias": weights["delta_bias"][0], "skip": np.array([10.0])}
    found = reference(SELECTIVE_STATE_SPACE, {"x": np.array([[[1.0], [2.0]]])}, weights, c)
    # delta is 1. h_1 = B_1 x_1 = 2; h_2 = exp(-1/2) h_1 + B_2 x_2 = 2 exp(-1/2) + 8.
    second = 6 * (2 * math.exp(-0.5) + 8) + 20
    np.testing.assert_allclose(found[0, :, 0], [3 * 2 + 10, second])


def test_steps_of_the_state_space_depend_on_the_input_and_states_are_apart() -> None:
    c = config(5, batch=1, state=3)
    inputs, weights = drawn(SELECTIVE_STATE_SPACE, c)
    x, width, state = inputs["x"][0], 8, 3
    expected = np.zeros((5, width))
    for feature in range(width):
        h = [0.0] * state
        for t in range(5):
            low = x[t] @ weights["delta_down"]
            delta = math.log1p(
                math.exp(low @ weights["delta_up"][:, feature] + weights["delta_bias"][feature])
            )
            for n in range(state):
                rate = math.exp(weights["log_rate"][n, feature])
                entering = delta * (x[t] @ weights["input_kernel"][:, n]) * x[t, feature]
                h[n] = math.exp(-delta * rate) * h[n] + entering
                expected[t, feature] += h[n] * (x[t] @ weights["output_kernel"][:, n])
            expected[t, feature] += weights["skip"][feature] * x[t, feature]
    np.testing.assert_allclose(reference(SELECTIVE_STATE_SPACE, inputs, weights, c)[0], expected)


@pytest.mark.parametrize("layer", [RETENTION, SELECTIVE_STATE_SPACE])
def test_recurrences_do_not_look_ahead(layer: Layer) -> None:
    c = config(6, **{"chunk": 4} if layer is RETENTION else {"state": 3})
    inputs, weights = drawn(layer, c)
    short = {name: x[..., :3, :] for name, x in inputs.items()}
    ahead = reference(layer, inputs, weights, c)[..., :3, :]
    shorter = Config(2, 3, False, c.params)
    np.testing.assert_allclose(reference(layer, short, weights, shorter), ahead)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
@pytest.mark.parametrize("causal_too", [False, True])
def test_work_grows_with_the_length_and_not_its_square(layer: Layer, causal_too: bool) -> None:
    params = dict(next(iter(layer.presets.values())))
    if "causal" in params:
        params["causal"] = causal_too
    short, long = (Config(1, seq, False, params) for seq in (2**12, 2**16))
    assert layer.products is not None
    assert layer.flops(long) == pytest.approx(16 * layer.flops(short), rel=0.03)
    assert 0 < layer.products(long) < layer.flops(long)


@pytest.mark.parametrize("layer", LAYERS[:4], ids=lambda layer: layer.name)
def test_what_is_approximated_is_full_attention_causal_if_the_layer_is(layer: Layer) -> None:
    c = config(6, **{"causal": True} if "causal" in layer.presets["textbook"] else {})
    inputs = canonical("any", layer.inputs(c))
    pattern = causal(6, 6) if c.params.get("causal") else None
    expected = attend(**inputs, pattern=pattern)
    np.testing.assert_allclose(approximated(layer, inputs, {}, c), expected, atol=1e-6)
