"""The sweeps of models, held against what their papers, and everyone since, say of them."""

from __future__ import annotations

import pytest

from harness import catalogue, sweep
from harness.layer import Config
from harness.types import Case

LAYERS = catalogue.load()


def forward(name: str) -> dict[Case, int]:
    """Occurrences of each case of one framework."""
    found = sweep.read(name)
    cases = [
        case for case in sweep.plan(found, LAYERS, ("torch",), ("cpu",)) if case.mode == "forward"
    ]
    return {case: use.occurrences for case, use in sweep.uses(found, LAYERS, cases).items()}


@pytest.mark.parametrize(
    ("name", "millions", "besides"),
    [
        pytest.param("bert_base", 109.48, 0, id="bert_base: 110 M"),
        # The vocabulary is there once more, in the last layer, which has a bias here.
        pytest.param("gpt2_small", 124.44, 50257 * 769, id="gpt2_small: 124 M"),
        pytest.param("vit_b16", 86.57, -(197 + 1) * 768, id="vit_b16: 86 M with its positions"),
        # Convolutions have biases here: a value for each output of 53.
        pytest.param("resnet50", 25.56, 26560, id="resnet50: 25.6 M"),
        pytest.param("mobilenet_v3_large", 5.4, 0, id="mobilenet_v3_large: 5.4 M"),
        pytest.param("lstm_language_model", 19.78, 0, id="lstm_language_model: 20 M"),
        pytest.param("ddpm_cifar10", 35.7, 0, id="ddpm_cifar10: 35.7 M"),
    ],
)
def test_the_weights_of_a_models_shapes_are_its_parameters(
    name: str, millions: float, besides: int
) -> None:
    total = -besides
    for case, occurrences in forward(name).items():
        weights = LAYERS[case.layer].weights(Config.of(case)).values()
        total += occurrences * sum(tensor.size for tensor in weights if tensor.trainable)
    assert total / 1e6 == pytest.approx(millions, rel=0.02 if name.startswith("mobile") else 2e-3)


@pytest.mark.parametrize(
    ("name", "products"),
    [
        ("resnet50", 3.8e9),  # He et al. (2016), table 1
        ("mobilenet_v3_large", 219e6),  # Howard et al. (2019), table 3
    ],
)
def test_the_products_of_a_convolutional_net_are_those_of_its_paper(
    name: str, products: float
) -> None:
    """Multiply-adds of convolutions and dense layers; the paper's figures are rounded."""
    total = sum(
        occurrences * LAYERS[case.layer].flops(Config.of(case)) / 2
        for case, occurrences in forward(name).items()
        if case.layer in ("conv2d", "depthwise_conv2d", "dense")
    )
    assert total == pytest.approx(products, rel=0.03)


def test_every_model_has_a_budget_in_both_modes() -> None:
    models = [name for name in sweep.names() if sweep.read(name).shapes]
    assert len(models) == 8
    for name in models:
        assert set(sweep.read(name).axes["mode"]) == {"forward", "train"}
