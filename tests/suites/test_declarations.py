"""What every classic layer declares holds together: shapes, names, case ids and operations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from agreement import CLASSIC, case

from harness.layer import Config, Layer
from harness.types import Case
from suites.attention import ATTENTION, ATTENTION_PROJECTED, MULTI_HEAD_ATTENTION
from suites.convolution import CONV2D
from suites.linear import DENSE
from suites.normalization import BATCH_NORM
from suites.recurrent import GRU, LSTM, SIMPLE_RNN
from suites.regularization import DROPOUT

PRESETS = [
    pytest.param(layer, preset, id=f"{layer.name}-{preset}")
    for layer in CLASSIC
    for preset in layer.presets
]


def config(layer: Layer, preset: str, mode: str = "forward") -> Config:
    return Config.of(case(layer, layer.presets[preset], mode, batch=2, seq=3))


@pytest.mark.parametrize(
    ("layer", "preset"), [preset for preset in PRESETS if preset.values[0] is not DROPOUT]
)
def test_the_declared_output_is_the_shape_of_the_reference(layer: Layer, preset: str) -> None:
    assert layer.reference is not None
    c = config(layer, preset)
    inputs = {name: np.zeros(tensor.shape) for name, tensor in layer.inputs(c).items()}
    weights = {name: np.zeros(tensor.shape) for name, tensor in layer.weights(c).items()}
    assert layer.reference(inputs, weights, c).shape == layer.output(c)


@pytest.mark.parametrize(("layer", "preset"), PRESETS)
def test_a_preset_makes_a_case_that_reads_back_from_its_id(layer: Layer, preset: str) -> None:
    planned = case(layer, layer.presets[preset])
    assert Case.parse(planned.id) == planned


@pytest.mark.parametrize(("layer", "preset"), PRESETS)
@pytest.mark.parametrize("mode", ["forward", "train"])
def test_operations_are_a_python_int(layer: Layer, preset: str, mode: str) -> None:
    flops = layer.flops(config(layer, preset, mode))
    assert type(flops) is int  # NumPy's would overflow, and JSON refuses them
    assert flops > 0


def test_each_layer_starts_with_the_textbook_and_has_both_frameworks() -> None:
    for layer in CLASSIC:
        assert next(iter(layer.presets)) == "textbook"
        assert set(layer.builders) == {"torch", "keras"}
    assert len({layer.name for layer in CLASSIC}) == len(CLASSIC)


B, S, H = 2, 3, 64  # as in `config`; hidden size, width and head dim of the textbook presets


@pytest.mark.parametrize(
    ("layer", "elementwise"),
    [
        pytest.param(DENSE, B * H, id="dense: relu"),
        pytest.param(CONV2D, 0, id="conv2d"),
        pytest.param(SIMPLE_RNN, B * S * H, id="simple_rnn: tanh"),
        pytest.param(LSTM, 9 * B * S * H, id="lstm: 3 sigmoid, 2 tanh, 3 products, 1 sum"),
        pytest.param(GRU, 9 * B * S * H, id="gru: 2 sigmoid, 1 tanh, 3 products, 2 sums, 1 - z"),
        pytest.param(ATTENTION, 4 * B * S * S, id="attention: scale, exp, sum, division"),
        pytest.param(ATTENTION_PROJECTED, 4 * B * S * S, id="attention_projected: likewise"),
        pytest.param(MULTI_HEAD_ATTENTION, 4 * B * S * S, id="multi_head_attention: likewise"),
    ],
)
def test_products_are_counted_as_torch_counts_them(layer: Layer, elementwise: int) -> None:
    """On the meta device, where torch's counter misses nothing; it counts products only."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from torch.utils.flop_counter import FlopCounterMode

    c = config(layer, "textbook")
    builder = layer.builders["torch"]
    module = builder.build(c)
    if isinstance(module, torch.nn.Module):
        module.to("meta")
    native = builder.inputs({k: np.zeros(t.shape) for k, t in layer.inputs(c).items()}, c)
    tensors = [torch.empty(array.shape, device="meta") for array in native]
    with FlopCounterMode(display=False) as counter:
        builder.call(module, c, *tensors)
    assert layer.flops(c) == counter.get_total_flops() + elementwise


@pytest.mark.parametrize(
    ("preset", "elements"), [("textbook", 2 * 64), ("resnet50_stage4", 2 * 512 * 14 * 14)]
)
def test_batch_norm_counts_its_statistics_in_training_only(preset: str, elements: int) -> None:
    count: Callable[[Config], int] = BATCH_NORM.flops
    assert count(config(BATCH_NORM, preset)) == 4 * elements
    assert count(config(BATCH_NORM, preset, "train")) == 7 * elements
