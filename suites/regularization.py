"""Regularization layers, whose output is random: they are checked by its distribution."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.layer import Array, Builder, Config, Layer, Mismatch, Observation, Tensor, normal
from harness.types import UsageError

MAX_Z = 5.0
"""Standard errors that the dropped share may lie off; beyond is one sound layer in 1.7 million."""


def _relative_error(actual: Array, expected: Array) -> float:
    """Largest difference, as a fraction of the largest expected value; 0 of nothing."""
    if not expected.size:
        return 0.0
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


def _check_dropout(seen: Observation, c: Config, tolerance: float) -> float:
    """Whether a fraction p is dropped, the rest grew by 1 / (1 - p), and gradients likewise.

    Returns the largest relative error of the values that were kept.
    """
    telling = seen.inputs["x"] != 0  # whether a zero was dropped cannot be seen
    x, y = seen.inputs["x"][telling], seen.output[telling]
    kept = y != 0
    dropped = int(np.count_nonzero(~kept))
    bound = MAX_Z * math.sqrt(kept.size * c.p * (1 - c.p))
    if abs(dropped - kept.size * c.p) > bound:
        share = dropped / kept.size
        raise Mismatch(f"drops {share:.4f} of {kept.size} values where p is {c.p}")
    error = _relative_error(y[kept], x[kept] / (1 - c.p))
    if not error <= tolerance:  # NaN is a mismatch too
        raise Mismatch(f"kept values are not x / (1 - p): relative error {error:.2g}")
    if seen.upstream is None:
        return error
    expected = np.where(kept, seen.upstream[telling], 0) / (1 - c.p)
    gradient_error = _relative_error(seen.input_gradients["x"][telling], expected)
    if not gradient_error <= tolerance:
        raise Mismatch(
            f"the gradient does not follow the mask of the output: {gradient_error:.2g} off"
        )
    return max(error, gradient_error)


def _inputs(c: Config) -> Mapping[str, Tensor]:
    if not 0 <= c.p < 1:
        raise UsageError(f"p = {c.p} is not a share to drop, from 0 to below 1")
    return {"x": normal(c.batch, c.features)}


def _torch_dropout(c: Config) -> Any:
    from torch import nn

    return nn.Dropout(c.p)


def _keras_dropout(c: Config) -> Any:
    import keras

    return keras.layers.Dropout(c.p)


DROPOUT = Layer(
    name="dropout",
    family="regularization",
    formula="y = m x / (1 - p), with m = 0 with probability p, else 1",
    presets={
        "textbook": {"features": 64, "p": 0.5},
        "alexnet_fc": {"features": 4096, "p": 0.5},
        "bert_base_ffn": {"features": 768, "p": 0.1},
    },
    inputs=_inputs,
    output=lambda c: (c.batch, c.features),
    flops=lambda c: 2 * c.batch * c.features,
    builders={
        "torch": Builder(_torch_dropout, covers=("torch.nn.Dropout",)),
        "keras": Builder(
            _keras_dropout,
            call=lambda module, c, x: module(x, training=c.training),
            covers=("keras.layers.Dropout",),
        ),
    },
    backward_flops=lambda c: 2 * c.batch * c.features,
    not_applicable=lambda c: (
        "" if c.training else "dropout in inference is the identity: there is nothing to time"
    ),
    check=_check_dropout,
    source="Srivastava et al. (2014), Journal of Machine Learning Research 15, section 10",
)
