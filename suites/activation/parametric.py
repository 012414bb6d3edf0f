"""Activations with a choice of form, with a gate, with weights, or with random slopes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harness.layer import (
    Array,
    Arrays,
    Builder,
    Config,
    Layer,
    Observation,
    normal,
    uniform,
)
from harness.types import UsageError
from suites import _spatial
from suites._builders import keras_activation, keras_layer, torch_module
from suites._lacking import NO_KERAS
from suites._random import hold, hold_distribution


def _gelu(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    from scipy.special import ndtr

    x = inputs["x"]
    distribution: Array
    if c.approximate == "none":
        distribution = ndtr(x)
    elif c.approximate == "tanh":
        distribution = 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    else:
        raise UsageError(f"no approximation {c.approximate!r} of gelu; choose one of: none, tanh")
    return x * distribution


def _keras_gelu(c: Config) -> Any:
    import keras

    return keras.layers.Activation(
        lambda x: keras.activations.gelu(x, approximate=c.approximate == "tanh")
    )


# The two forms differ by up to 5e-4. Keras's own default is the exact one in keras.activations, and
# the approximation in keras.ops.
GELU = Layer(
    name="gelu",
    family="activation",
    formula="y = x Φ(x), or 0.5 x (1 + tanh(sqrt(2 / π) (x + 0.044715 x³)))",
    presets={
        "textbook": {"features": 64, "approximate": "none"},
        "gpt2_ffn": {"features": 3072, "approximate": "tanh"},  # of one token, as in decoding
    },
    inputs=lambda c: {"x": normal(c.batch, c.features)},
    output=lambda c: (c.batch, c.features),
    reference=_gelu,
    flops=lambda c: c.batch * c.features,
    builders={
        "torch": torch_module("GELU", lambda c: {"approximate": c.approximate}),
        "keras": Builder(_keras_gelu, covers=("keras.layers.Activation",)),
    },
    source="Hendrycks and Gimpel (2016), arXiv:1606.08415, section 2",
)


def _glu(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    value, gate = np.split(inputs["x"], 2, axis=-1)
    gated: Array = value / (1 + np.exp(-gate))
    return gated


GLU = Layer(
    name="glu",
    family="activation",
    formula="y = a / (1 + exp(-b)), with x = [a, b]",
    presets={
        "textbook": {"features": 64},
        # After the first pointwise convolution of Conformer L, 4 s long: arXiv:2005.08100, table 1.
        "conformer_l": {"features": 51200},
    },
    inputs=lambda c: {"x": normal(c.batch, 2 * c.features)},
    output=lambda c: (c.batch, c.features),
    reference=_glu,
    flops=lambda c: 2 * c.batch * c.features,
    backward_flops=lambda c: 4 * c.batch * c.features,  # dy s, dy a, the derivative of s, product
    builders={"torch": torch_module("GLU"), "keras": keras_activation("glu")},
    source="Dauphin et al. (2017), arXiv:1612.08083, section 2",
)


def _prelu(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    x = inputs["x"]
    return np.where(x > 0, x, weights["slope"][:, None, None] * x)


def _keras_prelu(c: Config) -> dict[str, Any]:
    """Keras's default is a slope for each value; this shares them over pixels, as in the paper."""
    first = _spatial.keras_data_format(c) == "channels_first"
    return {"shared_axes": [2, 3] if first else [1, 2]}


def _keras_slope(weights: Arrays, c: Config) -> Arrays:
    first = _spatial.keras_data_format(c) == "channels_first"
    return {"alpha": weights["slope"].reshape((-1, 1, 1) if first else (1, 1, -1))}


PRELU = Layer(
    name="prelu",
    family="activation",
    formula="y = x if x > 0, else a x, with a slope a for each channel",
    presets={
        "textbook": {"channels": 16, "size": 8, "layout": "native"},
        # The last convolutions of model A of the paper, table 3.
        "he2015_a": {"channels": 512, "size": 14, "layout": "native"},
    },
    inputs=lambda c: _spatial.images(c, 2, c.channels),
    weights=lambda c: {"slope": uniform(c.channels, low=0.1, high=0.4)},
    output=lambda c: _spatial.shape(c, 2, c.channels, c.size),
    reference=_prelu,
    flops=lambda c: c.batch * c.channels * c.size**2,
    # Towards the input a derivative and a product, towards the slopes a product and a sum.
    backward_flops=lambda c: 4 * c.batch * c.channels * c.size**2,
    terms=lambda c: c.batch * c.size**2,
    builders={
        "torch": torch_module(
            "PReLU",
            lambda c: {"num_parameters": c.channels},
            weights=lambda weights, c: {"weight": weights["slope"]},
            channels_last=_spatial.torch_channels_last,
        ),
        "keras": keras_layer(
            "PReLU",
            _keras_prelu,
            weights=_keras_slope,
            inputs=_spatial.keras_inputs,
            output=_spatial.keras_output,
        ),
    },
    source="He et al. (2015), arXiv:1502.01852, section 2.1",
)

LOWER, UPPER = 1 / 8, 1 / 3
"""torch's defaults, the inverse of the paper's 8 and 3."""
TELLING = 0.01
"""Below -this, a quotient y / x is no quotient of roundings."""


def _check_rrelu(seen: Observation, c: Config, tolerance: float) -> float:
    """Slopes of negative inputs: the middle one in inference, uniform in training."""
    x, y = seen.inputs["x"], seen.output
    error = hold("y is not x where x > 0", y[x > 0], x[x > 0], tolerance)
    negative = x < 0
    if seen.upstream is None:
        middle = (LOWER + UPPER) / 2 * x[negative]
        return max(error, hold("y is not the mean slope times x", y[negative], middle, tolerance))
    slopes = np.where(negative, y / x, 1)
    drawn = slopes[x < -TELLING]
    uniform_cdf = lambda a: np.clip((a - LOWER) / (UPPER - LOWER), 0, 1)  # noqa: E731
    hold_distribution("slopes", drawn, uniform_cdf, tolerance)
    expected = slopes * seen.upstream
    what = "the gradient does not have the slopes of the output"
    return max(error, hold(what, seen.input_gradients["x"], expected, 2 * tolerance))


RRELU = Layer(
    name="rrelu",
    family="activation",
    formula="y = x if x > 0, else a x, with a ~ U(1/8, 1/3) in training, 11/48 in inference",
    presets={
        "textbook": {"features": 64},
        "resnet50_conv4": {"features": 50176},  # 14 x 14 x 256: He et al. (2016), arXiv:1512.03385
    },
    inputs=lambda c: {"x": normal(c.batch, c.features)},
    output=lambda c: (c.batch, c.features),
    flops=lambda c: c.batch * c.features,
    backward_flops=lambda c: c.batch * c.features,  # a product: the slopes are kept
    builders={"torch": torch_module("RReLU", lambda c: {"lower": LOWER, "upper": UPPER})},
    lacking=NO_KERAS,
    check=_check_rrelu,
    source="Xu et al. (2015), arXiv:1505.00853, section 2.4",
)
