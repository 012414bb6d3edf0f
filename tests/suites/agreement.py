"""How far a builder is from its layer's reference: shared by the tests of every framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from harness.layer import Array, Arrays, Layer
from harness.problem import Problem
from harness.types import Case, Value
from harness.verify.mistakes import MISTAKES
from suites.attention import ATTENTION, ATTENTION_PROJECTED, MULTI_HEAD_ATTENTION
from suites.convolution import CONV2D
from suites.linear import DENSE
from suites.normalization import BATCH_NORM
from suites.recurrent import GRU, LSTM, SIMPLE_RNN
from suites.regularization import DROPOUT

CLASSIC = (
    DENSE,
    CONV2D,
    SIMPLE_RNN,
    LSTM,
    GRU,
    ATTENTION,
    ATTENTION_PROJECTED,
    MULTI_HEAD_ATTENTION,
    BATCH_NORM,
    DROPOUT,
)

STEP = 1e-6
"""Of the central difference; its truncation and rounding errors are then both below 1e-8."""

Outcome: TypeAlias = tuple[Array, tuple[Array, ...], Mapping[str, Array]]
"""Output, gradients of the inputs and gradients of the weights, in the framework's layouts."""

_RNN = {"input_size": 3, "hidden_size": 4}
_HEADS = {"heads": 2, "head_dim": 4}
_CONV = {**CONV2D.presets["textbook"], "in_channels": 2, "out_channels": 3, "size": 6}
_DENSE = {"in_features": 5, "out_features": 7}
_SMALL: tuple[tuple[Layer, dict[str, Value]], ...] = (
    *((DENSE, {**_DENSE, "activation": f}) for f in ("linear", "relu", "tanh", "gelu")),
    *((CONV2D, {**_CONV, "kernel": kernel}) for kernel in (1, 2, 3, 5)),
    (SIMPLE_RNN, {**_RNN}),
    (LSTM, {**_RNN}),
    (GRU, {**_RNN}),
    (ATTENTION, {**_HEADS}),
    (ATTENTION_PROJECTED, {**_HEADS}),
    (MULTI_HEAD_ATTENTION, {**_HEADS}),
    (BATCH_NORM, {"features": 3, "size": 1, "layout": "native"}),
    (BATCH_NORM, {"features": 3, "size": 4, "layout": "native"}),
)


def case(
    layer: Layer, params: Mapping[str, Value], mode: str = "forward", batch: int = 4, seq: int = 5
) -> Case:
    where = (layer.name, "any", "cpu", mode, "eager", "float32")
    return Case(*where, 1, batch, seq if layer.has_seq else None, tuple(params.items()))


def right(framework: str) -> dict[str, Problem]:
    """Every layer with a reference, small, in the two modes that differ."""
    return {
        "-".join(map(str, (layer.name, mode, *params.values()))): Problem(
            case(layer, params, mode), layer, layer.builders[framework]
        )
        for layer, params in _SMALL
        for mode in ("forward", "train")
    }


def wrong(framework: str) -> dict[str, Problem]:
    """Mistakes that the frameworks' layouts and defaults invite; none may pass."""
    params = {layer.name: params for layer, params in _SMALL}
    return {
        name: Problem(case(layer, params[name.split("__")[0]]), layer, layer.builders[framework])
        for name, layer in MISTAKES.items()
        if framework in layer.builders and layer.reference is not None
    }


def deviations(problem: Problem, evaluate: Callable[[Problem], Outcome]) -> dict[str, float]:
    """By tensor, how far the framework is from the reference.

    For the output the largest difference. For the gradient g of an input or weight the largest
    |<g, V> - dL/dV| / (1 + |dL/dV|) over random directions V, where the reference gives dL/dV by
    central differences and V goes through the builder's own maps to meet g.
    """
    output, input_gradients, weight_gradients = evaluate(problem)
    layer, builder, config = problem.layer, problem.builder, problem.config
    tensors = {**problem.input_tensors, **problem.weight_tensors}
    drawn = {**problem.inputs, **problem.weights}
    values = {name: array.astype(np.float64) for name, array in drawn.items()}

    def split(moved: Arrays) -> tuple[Arrays, Arrays]:
        return {k: moved[k] for k in problem.inputs}, {k: moved[k] for k in problem.weights}

    def reference(moved: Arrays) -> Array:
        assert layer.reference is not None
        return layer.reference(*split(moved), config)

    def native(moved: Arrays) -> list[Array]:
        inputs, weights = split(moved)
        mapped = builder.weights(weights, config)
        return [*builder.inputs(inputs, config), *(mapped[name] for name in weight_gradients)]

    rearranged = builder.output(output, config)
    assert rearranged.shape == layer.output(config)
    found = {"output": float(np.abs(rearranged - reference(values)).max())}
    if not config.training:
        return found

    gradients = [*input_gradients, *weight_gradients.values()]
    origin = native(values)

    def error(name: str, direction: Array) -> float:
        ahead = {**values, name: values[name] + STEP * direction}
        behind = {**values, name: values[name] - STEP * direction}
        expected = np.vdot(problem.upstream, reference(ahead) - reference(behind)) / (2 * STEP)
        moves = zip(gradients, native(ahead), origin, strict=True)
        actual = sum(np.vdot(gradient, there - here) / STEP for gradient, there, here in moves)
        return float(abs(actual - expected) / (1 + abs(expected)))

    rng = np.random.default_rng(0)
    for name, tensor in tensors.items():
        if tensor.trainable:
            found[name] = max(error(name, rng.standard_normal(tensor.shape)) for _ in range(3))
    return found
