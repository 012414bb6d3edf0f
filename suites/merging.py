"""Merging: several inputs of one shape become one. Keras has layers for it, torch operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.checks import Allowed
from harness.layer import Array, Config, Layer, Tensor, normal
from suites._builders import keras_layer

NO_MODULE = {"torch": "torch.nn has no such module: it is an operator on tensors"}


def _inputs(c: Config) -> Mapping[str, Tensor]:
    return {f"x{index}": normal(c.batch, c.features) for index in range(c.count)}


def pair(c: Config) -> Mapping[str, Tensor]:
    """Two inputs of (batch, features)."""
    return {"x0": normal(c.batch, c.features), "x1": normal(c.batch, c.features)}


def as_list(module: Any, _c: Config, *inputs: Any) -> Any:
    """For `Builder.call`: Keras takes what it merges as one list."""
    return module(list(inputs))


def _merging(
    kind: str,
    formula: str,
    merge: Callable[[list[Array]], Array],
    operations: Callable[[int], int],
    backward: Callable[[int], int],
    most: int | None = None,
) -> Layer:
    """Element by element.

    Args:
        kind: the class in keras.layers.
        formula: what it computes.
        merge: arrays -> one.
        operations: number of inputs -> operations an element of the output.
        backward: likewise, of a backward pass.
        most: inputs that it takes, if there is a limit.
    """
    below = None if most is None else most + 1
    return Layer(
        name=kind.lower(),
        family="merging",
        formula=formula,
        presets={
            "textbook": {"features": 64, "count": 2},
            # What ResNet-50 adds in its last stage, 7 x 7 x 2048: arXiv:1512.03385, table 1.
            "resnet50_conv5": {"features": 100352, "count": 2},
        },
        allowed={"count": Allowed(least=2, below=below)},
        inputs=_inputs,
        output=lambda c: (c.batch, c.features),
        reference=lambda inputs, weights, c: merge(list(inputs.values())),
        flops=lambda c: operations(c.count) * c.batch * c.features,
        backward_flops=lambda c: backward(c.count) * c.batch * c.features,
        builders={"keras": keras_layer(kind, call=as_list)},
        lacking=NO_MODULE,
    )


MERGING = (
    _merging(
        "Add", "y = x0 + x1 + ...", lambda x: np.sum(x, axis=0),
        operations=lambda n: n - 1, backward=lambda n: 0,
    ),
    _merging(
        "Average", "y = (x0 + x1 + ...) / n", lambda x: np.mean(x, axis=0),
        operations=lambda n: n, backward=lambda n: 1,
    ),
    # Backward, a comparison with the output and a product for each input; there are no ties.
    _merging(
        "Maximum", "y = max(x0, x1, ...)", lambda x: np.max(x, axis=0),
        operations=lambda n: n - 1, backward=lambda n: 2 * n,
    ),
    _merging(
        "Minimum", "y = min(x0, x1, ...)", lambda x: np.min(x, axis=0),
        operations=lambda n: n - 1, backward=lambda n: 2 * n,
    ),
    _merging(
        "Multiply", "y = x0 x1 ...", lambda x: np.prod(x, axis=0),
        operations=lambda n: n - 1, backward=lambda n: 2 * (n - 1),
    ),
    _merging(
        "Subtract", "y = x0 - x1", lambda x: x[0] - x[1],
        operations=lambda n: 1, backward=lambda n: 1, most=2,
    ),
)  # fmt: skip

CONCATENATE = Layer(
    name="concatenate",
    family="merging",
    formula="y = [x0, x1, ...]",
    presets={
        "textbook": {"features": 64, "count": 2},
        # A skip connection at 16 x 16 with 256 channels: Ho et al. (2020), arXiv:2006.11239,
        # appendix B.
        "ddpm_cifar10": {"features": 65536, "count": 2},
    },
    allowed={"count": Allowed(least=2)},
    inputs=_inputs,
    output=lambda c: (c.batch, c.count * c.features),
    reference=lambda inputs, weights, c: np.concatenate(list(inputs.values()), axis=-1),
    flops=lambda c: 0,
    builders={"keras": keras_layer("Concatenate", call=as_list)},
    lacking=NO_MODULE,
)

DOT = Layer(
    name="dot",
    family="merging",
    formula="y = sum of x0 x1",
    presets={
        "textbook": {"features": 64},
        # Query against passage of BERT-base: Karpukhin et al. (2020), arXiv:2004.04906, section 3.
        "dpr": {"features": 768},
    },
    inputs=pair,
    output=lambda c: (c.batch, 1),
    reference=lambda inputs, weights, c: (inputs["x0"] * inputs["x1"]).sum(-1, keepdims=True),
    flops=lambda c: 2 * c.batch * c.features,
    backward_flops=lambda c: 2 * c.batch * c.features,  # a product for each input
    builders={"keras": keras_layer("Dot", lambda c: {"axes": -1}, call=as_list)},
    lacking=NO_MODULE,
)
