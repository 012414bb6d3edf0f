"""References of losses, against the definition, another formula, or numbers one can check."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from checked import OK, found
from scipy.special import log_softmax, softmax

from harness import catalogue, frameworks
from harness.layer import Array, Config, Layer, canonical
from harness.types import Case

LOSSES = {name: layer for name, layer in catalogue.load().items() if layer.family == "loss"}


def value(name: str, batch: int, params: dict[str, int], seq: int | None = None) -> float:
    """Of the values that are drawn for it."""
    layer = LOSSES[name]
    c = Config(batch, seq, False, params)
    inputs, weights = (
        {key: v.astype(np.float64) if v.dtype.kind == "f" else v for key, v in drawn.items()}
        for drawn in (canonical(name, layer.inputs(c)), canonical(name, layer.weights(c)))
    )
    return of(layer, inputs, weights, c)


def of(layer: Layer, inputs: dict[str, Array], weights: dict[str, Array], c: Config) -> float:
    assert layer.reference is not None
    return float(layer.reference(inputs, weights, c))


def test_ctc_sums_over_every_path_that_reads_the_labels() -> None:
    c = Config(1, 4, False, {"classes": 3, "labels": 2})
    for target in ([1, 2], [1, 1]):  # labels that repeat need a blank between them
        x = np.random.default_rng(0).standard_normal((1, 4, 3))
        p = softmax(x[0], axis=1)
        total = sum(
            np.prod([p[step, k] for step, k in enumerate(path)])
            for path in itertools.product(range(3), repeat=4)
            if [k for k, _ in itertools.groupby(path) if k] == target
        )
        found = of(LOSSES["ctc_loss"], {"x": x, "target": np.array([target])}, {}, c)
        assert found == pytest.approx(-np.log(total), rel=1e-12)


def test_the_probabilities_of_adaptive_softmax_sum_to_one() -> None:
    layer = LOSSES["adaptive_log_softmax"]
    params = {"in_features": 16, "classes": 30, "shortlist": 5, "common": 12}
    c = Config(1, None, False, params)
    weights = {k: v.astype(np.float64) for k, v in canonical("w", layer.weights(c)).items()}
    x = np.random.default_rng(0).standard_normal((1, 16))
    # Draws that the map to ranks of words takes to each word: by 30^u, u from 0 to 1.
    draws = [int(np.ceil(2**30 * np.log(word + 1) / np.log(30))) for word in range(30)]
    losses = [of(layer, {"x": x, "target": np.array([d])}, weights, c) for d in draws]
    assert np.exp(-np.array(losses)).sum() == pytest.approx(1, rel=1e-12)


def test_targets_of_adaptive_softmax_are_frequent_words_mostly() -> None:
    layer = LOSSES["adaptive_log_softmax"]
    params = layer.presets["text8"]
    c = Config(32, None, True, params)
    words = layer.builders["torch"].inputs(
        {"x": np.zeros(1), **canonical(layer.name, {"target": layer.inputs(c)["target"]})}, c
    )[1]
    assert 0 <= words.min() <= words.max() < params["classes"]
    assert 0.5 < (words < params["shortlist"]).mean() < 0.9  # ln(2000) / ln(44000) = 0.71


def test_the_multilabel_margin_is_as_its_definition_reads() -> None:
    x, target = np.array([[0.1, 0.2, 0.4, 0.8]]), np.array([[3, 0]])
    expected = (  # from the documentation of torch.nn.MultiLabelMarginLoss
        (1 - (0.1 - 0.2)) + (1 - (0.1 - 0.4)) + (1 - (0.8 - 0.2)) + (1 - (0.8 - 0.4))
    ) / 4
    c = Config(1, None, False, {"classes": 4})
    inputs = {"x": x, "target": target}
    assert of(LOSSES["multilabel_margin_loss"], inputs, {}, c) == pytest.approx(expected)


def test_cross_entropies_agree_on_an_index_and_its_one_hot() -> None:
    x, index = np.random.default_rng(0).standard_normal((4, 5)), np.array([0, 2, 4, 2])
    c = Config(4, None, False, {"classes": 5})
    expected = -log_softmax(x, axis=1)[np.arange(4), index].mean()
    for name, target in (("cross_entropy", index), ("categorical_cross_entropy", np.eye(5)[index])):
        assert of(LOSSES[name], {"x": x, "target": target}, {}, c) == pytest.approx(expected)


def test_tversky_with_equal_weights_is_dice() -> None:
    c = Config(2, None, False, {"size": 4})
    x = np.random.default_rng(0).uniform(size=(2, 4, 4))
    inputs = {"x": x, "target": (x > 0.3).astype(float)}
    dice, tversky = (of(LOSSES[name], inputs, {}, c) for name in ("dice_loss", "tversky_loss"))
    assert tversky == pytest.approx(dice)


def test_every_loss_is_a_number_of_ordinary_size() -> None:
    """One that is near 0 has no relative error worth the name."""
    for name, layer in LOSSES.items():
        for params in layer.presets.values():
            small = {**params, "size": 8} if "size" in params else dict(params)
            assert 1e-3 < abs(value(name, 4, small, 20 if layer.has_seq else None)) < 1e3, name


@pytest.mark.parametrize(("framework", "execution"), [("torch", "eager"), ("tensorflow", "eager")])
def test_half_precision_trains_on_a_scalar_whatever_its_type(
    framework: str, execution: str
) -> None:
    """Keras computes losses in float32, and its gradients come back in the inputs' type."""
    if not frameworks.installed(framework):
        pytest.skip(f"{framework} is not installed")
    shapes = {"mean_squared_error": (("features", 64),), "cross_entropy": (("classes", 10),)}
    cases = [
        Case(name, framework, "cpu", "train", "eager", "bfloat16", 1, 4, None, params)
        for name, params in shapes.items()
    ]
    assert set(found(cases, warnings="default").values()) == {OK}
