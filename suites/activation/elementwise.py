"""Activations of one value at a time, without weights: a line or two each.

Counting: a function is one operation a value; backward its derivative and a product.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.layer import Array, Builder, Layer, normal
from suites._builders import keras_activation, keras_layer, torch_module
from suites._lacking import NO_KERAS, NO_TORCH

PRESETS = {
    "textbook": {"features": 64},
    "resnet50_conv4": {"features": 50176},  # 14 x 14 x 256: He et al. (2016), arXiv:1512.03385
}
JUMP_WIDTH = 2.0**-6
"""Of an input, within which a function that jumps is not compared: two bfloat16 around 1."""
LEAK = 0.01
"""torch's default; that of Keras is 0.3 in the layer and 0.2 in the function."""
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _elementwise(
    name: str,
    formula: str,
    function: Callable[[Array], Array],
    torch: Builder | None,
    keras: Builder | None,
    source: str = "",
    jumps: tuple[float, ...] = (),
) -> Layer:
    """An activation; `jumps` are the inputs at which it is not continuous."""

    def decided(x: Array) -> Array:
        distance: Array = np.min([np.abs(x - jump) for jump in jumps], axis=0)
        return distance > JUMP_WIDTH

    return Layer(
        name=name,
        family="activation",
        formula=formula,
        presets=PRESETS,
        inputs=lambda c: {"x": normal(c.batch, c.features)},
        output=lambda c: (c.batch, c.features),
        reference=lambda inputs, weights, c: function(inputs["x"]),
        flops=lambda c: c.batch * c.features,
        builders={
            framework: builder
            for framework, builder in (("torch", torch), ("keras", keras))
            if builder is not None
        },
        lacking={**({} if torch else NO_TORCH), **({} if keras else NO_KERAS)},
        decided=(lambda inputs, weights, c: decided(inputs["x"])) if jumps else None,
        source=source,
    )


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _softplus(x: Array) -> Array:
    return np.logaddexp(0, x)


def _relu6(x: Array) -> Array:
    return np.clip(x, 0, 6)


def _elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _shrunk(x: Array) -> Array:
    """By a half towards 0."""
    return np.sign(x) * np.maximum(np.abs(x) - 0.5, 0)


ELEMENTWISE = (
    # With alpha = 1, the default, CELU is ELU; the kernels differ.
    _elementwise(
        "celu", "y = max(0, x) + min(0, exp(x) - 1)", _elu,
        torch_module("CELU"), keras_activation("celu"), "Barron (2017), arXiv:1704.07483",
    ),
    _elementwise(
        "elu", "y = x if x > 0, else exp(x) - 1", _elu,
        torch_module("ELU"), keras_layer("ELU"), "Clevert et al. (2016), arXiv:1511.07289",
    ),
    _elementwise(
        "exponential", "y = exp(x)", np.exp,
        None, keras_activation("exponential"),
    ),
    _elementwise(
        "hardshrink", "y = x if |x| > 1/2, else 0", lambda x: np.where(np.abs(x) > 0.5, x, 0),
        torch_module("Hardshrink"), keras_activation("hard_shrink"), jumps=(-0.5, 0.5),
    ),
    _elementwise(
        "hardsigmoid", "y = min(max(x + 3, 0), 6) / 6", lambda x: _relu6(x + 3) / 6,
        torch_module("Hardsigmoid"), keras_activation("hard_sigmoid"),
        "Howard et al. (2019), arXiv:1905.02244, section 5.2",
    ),
    _elementwise(
        "hardswish", "y = x min(max(x + 3, 0), 6) / 6", lambda x: x * _relu6(x + 3) / 6,
        torch_module("Hardswish"), keras_activation("hard_silu"),
        "Howard et al. (2019), arXiv:1905.02244, section 5.2",
    ),
    _elementwise(
        "hardtanh", "y = min(max(x, -1), 1)", lambda x: np.clip(x, -1, 1),
        torch_module("Hardtanh"), keras_activation("hard_tanh"),
    ),
    _elementwise(
        "leaky_relu", "y = x if x > 0, else 0.01 x", lambda x: np.where(x > 0, x, LEAK * x),
        torch_module("LeakyReLU", lambda c: {"negative_slope": LEAK}),
        keras_layer("LeakyReLU", lambda c: {"negative_slope": LEAK}),
        "Maas et al. (2013), Rectifier nonlinearities improve neural network acoustic models",
    ),
    _elementwise(
        "log_sigmoid", "y = log(1 / (1 + exp(-x)))", lambda x: -_softplus(-x),
        torch_module("LogSigmoid"), keras_activation("log_sigmoid"),
    ),
    _elementwise(
        "mish", "y = x tanh(log(1 + exp(x)))", lambda x: x * np.tanh(_softplus(x)),
        torch_module("Mish"), keras_activation("mish"), "Misra (2020), arXiv:1908.08681",
    ),
    _elementwise(
        "relu", "y = max(x, 0)", lambda x: np.maximum(x, 0),
        torch_module("ReLU"), keras_layer("ReLU"),
    ),
    _elementwise(
        "relu6", "y = min(max(x, 0), 6)", _relu6,
        torch_module("ReLU6"), keras_activation("relu6"),
        "Howard et al. (2017), arXiv:1704.04861",
    ),
    _elementwise(
        "selu", "y = 1.0507 x if x > 0, else 1.7581 (exp(x) - 1)",
        lambda x: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * _elu(x)),
        torch_module("SELU"), keras_activation("selu"),
        "Klambauer et al. (2017), arXiv:1706.02515",
    ),
    _elementwise(
        "sigmoid", "y = 1 / (1 + exp(-x))", _sigmoid,
        torch_module("Sigmoid"), keras_activation("sigmoid"),
    ),
    _elementwise(
        "silu", "y = x / (1 + exp(-x))", lambda x: x * _sigmoid(x),
        torch_module("SiLU"), keras_activation("silu"), "Elfwing et al. (2018), arXiv:1702.03118",
    ),
    # torch returns x itself above 20, where the two agree in float32.
    _elementwise(
        "softplus", "y = log(1 + exp(x))", _softplus,
        torch_module("Softplus"), keras_activation("softplus"),
    ),
    _elementwise(
        "softshrink", "y = sign(x) max(|x| - 1/2, 0)", _shrunk,
        torch_module("Softshrink"), keras_activation("soft_shrink"),
    ),
    _elementwise(
        "softsign", "y = x / (1 + |x|)", lambda x: x / (1 + np.abs(x)),
        torch_module("Softsign"), keras_activation("softsign"),
    ),
    _elementwise(
        "sparse_plus", "y = 0 if x < -1, x if x > 1, else (x + 1)² / 4",
        lambda x: np.where(np.abs(x) < 1, (x + 1) ** 2 / 4, np.maximum(x, 0)),
        None, keras_activation("sparse_plus"), "keras.activations.sparse_plus",
    ),
    _elementwise(
        "sparse_sigmoid", "y = min(max((x + 1) / 2, 0), 1)", lambda x: np.clip((x + 1) / 2, 0, 1),
        None, keras_activation("sparse_sigmoid"), "keras.activations.sparse_sigmoid",
    ),
    _elementwise(
        "squareplus", "y = (x + sqrt(x² + 4)) / 2", lambda x: (x + np.sqrt(x**2 + 4)) / 2,
        None, keras_activation("squareplus"), "Barron (2021), arXiv:2112.11687",
    ),
    _elementwise(
        "tanh", "y = tanh(x)", np.tanh,
        torch_module("Tanh"), keras_activation("tanh"),
    ),
    _elementwise(
        "tanhshrink", "y = x - tanh(x)", lambda x: x - np.tanh(x),
        torch_module("Tanhshrink"), keras_activation("tanh_shrink"),
    ),
    _elementwise(
        "threshold", "y = x if x > 1/2, else 0", lambda x: np.where(x > 0.5, x, 0),
        torch_module("Threshold", lambda c: {"threshold": 0.5, "value": 0.0}),
        keras_activation("threshold", threshold=0.5, default_value=0.0), jumps=(0.5,),
    ),
)  # fmt: skip
