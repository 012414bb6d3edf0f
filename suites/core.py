"""Layers that pass their input on: all of it, or but what is padding."""

from __future__ import annotations

import numpy as np

from harness.layer import Array, Arrays, Config, Layer, normal
from suites._builders import keras_layer, torch_module
from suites._lacking import NO_TORCH

# What a framework takes to call a layer at all.
IDENTITY = Layer(
    name="identity",
    family="core",
    formula="y = x",
    presets={
        "textbook": {"features": 64},
        "resnet50_conv4": {"features": 50176},  # 14 x 14 x 256: He et al. (2016), arXiv:1512.03385
    },
    inputs=lambda c: {"x": normal(c.batch, c.features)},
    output=lambda c: (c.batch, c.features),
    reference=lambda inputs, weights, c: inputs["x"],
    flops=lambda c: 0,
    traffic=lambda c, item: 0,
    builders={"torch": torch_module("Identity"), "keras": keras_layer("Identity")},
)

PADDING = 1.0
"""What padded steps hold, so that a layer that passes it on shows."""


def _real_steps(c: Config) -> Array:
    """Booleans (seq, 1): the last quarter of each sequence is padding."""
    steps: Array = np.arange(c.seq)[:, None] < c.seq - c.seq // 4
    return steps


def _padded(inputs: Arrays, c: Config) -> tuple[Array, ...]:
    """For `Builder.inputs`; a map of its values that is affine."""
    x, real = inputs["x"], _real_steps(c)
    return ((x * real + PADDING * ~real).astype(x.dtype),)


MASKING = Layer(
    name="masking",
    family="core",
    formula="y[t] = x[t] if any feature of it is not 1, else 0; a quarter of the steps are padding",
    presets={
        "textbook": {"features": 16},
        "zaremba_medium_ptb": {"features": 650},  # Zaremba et al. (2014), arXiv:1409.2329
    },
    inputs=lambda c: {"x": normal(c.batch, c.seq, c.features)},
    output=lambda c: (c.batch, c.seq, c.features),
    reference=lambda inputs, weights, c: np.where(_real_steps(c), inputs["x"], 0),
    flops=lambda c: 3 * c.batch * c.seq * c.features,  # comparison, or, choice
    backward_flops=lambda c: c.batch * c.seq * c.features,
    builders={"keras": keras_layer("Masking", lambda c: {"mask_value": PADDING}, inputs=_padded)},
    lacking=NO_TORCH,
    has_seq=True,
)
