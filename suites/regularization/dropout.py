"""Dropout, whose output is random: a share p of the values, or of the channels, is replaced.

In inference it is the identity, and there is nothing to time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from harness.checks import Allowed
from harness.layer import Array, Builder, Config, Layer, Mismatch, Observation, normal
from harness.types import Value
from suites import _spatial
from suites._builders import keras_layer, torch_module
from suites._lacking import NO_KERAS
from suites._random import hold, hold_share

P = {"p": Allowed(least=0, below=1)}
SELU_FLOOR = -1.7580993408473766
"""What SELU goes to at -∞. Source: arXiv:1706.02515, section 3, there -λα."""


class _Form(NamedTuple):
    """Kept values become ``scale x + shift``, all others ``dropped``."""

    scale: float
    shift: float
    dropped: float


def _plain(p: float) -> _Form:
    return _Form(1 / (1 - p), 0.0, 0.0)


def _alpha(p: float) -> _Form:
    """Mean 0 and variance 1 stay as they are. Source: arXiv:1706.02515, section 3."""
    a = ((1 - p) * (1 + p * SELU_FLOOR**2)) ** -0.5
    b = -a * p * SELU_FLOOR
    return _Form(a, b, a * SELU_FLOOR + b)


def _check(
    form: Callable[[float], _Form], of_channels: bool
) -> Callable[[Observation, Config, float], float]:
    """For `Layer.check`: the share that is dropped, what becomes of the values, and gradients."""

    def check(seen: Observation, c: Config, tolerance: float) -> float:
        scale, shift, dropped = form(c.p)
        x, y = seen.inputs["x"], seen.output
        wanted = scale * x + shift
        near = tolerance * (scale + abs(dropped))
        telling = np.abs(wanted - dropped) > 2 * near  # else nobody can see what became of it
        kept = ~(np.abs(y - dropped) <= near)  # NaN is not what a dropped value becomes
        if of_channels:
            _hold_channels(kept, telling, c.p)
        else:
            drawn = kept[telling]
            hold_share("values", int((~drawn).sum()), drawn.size, c.p)
        compared = kept & telling
        error = hold("kept values are off", y[compared], wanted[compared], tolerance)
        if seen.upstream is None:
            return error
        expected = np.where(kept, seen.upstream, 0)[telling] * scale
        what = "the gradient does not follow the mask of the output"
        return max(error, hold(what, seen.input_gradients["x"][telling], expected, tolerance))

    return check


def _hold_channels(kept: Array, telling: Array, p: float) -> None:
    """Holds shares of whole channels, of (batch, channels, ...)."""
    space = tuple(range(2, kept.ndim))
    some, all_ = (kept & telling).any(space), (kept | ~telling).all(space)
    if (some != all_).any():
        raise Mismatch("drops parts of channels")
    hold_share("channels", int((~some).sum()), some.size, p)


def _dropout(
    name: str,
    presets: Mapping[str, Mapping[str, Value]],
    shape: Callable[[Config], tuple[int, ...]],
    form: Callable[[float], _Form],
    builders: Mapping[str, Builder],
    formula: str,
    operations: int = 2,
    source: str = "",
) -> Layer:
    """`operations` are those of a value; two are mask and scale, which go backward too."""

    def elements(c: Config) -> int:
        return math.prod(shape(c))

    return Layer(
        name=name,
        family="regularization",
        formula=formula,
        presets=presets,
        allowed=P,
        inputs=lambda c: {"x": normal(*shape(c))},
        output=shape,
        flops=lambda c: operations * elements(c),
        backward_flops=lambda c: 2 * elements(c),
        builders=builders,
        lacking={} if "keras" in builders else NO_KERAS,
        not_applicable=lambda c: (
            "" if c.training else "dropout in inference is the identity: there is nothing to time"
        ),
        check=_check(form, of_channels="channels" in next(iter(presets.values()))),
        source=source,
    )


def _torch(kind: str, **fields: Any) -> Builder:
    return torch_module(kind, lambda c: {"p": c.p}, **fields)


def _keras(kind: str, **fields: Any) -> Builder:
    return keras_layer(kind, lambda c: {"rate": c.p}, call=in_training, **fields)


def in_training(module: Any, c: Config, x: Any) -> Any:
    """For `Builder.call`: Keras has to be told."""
    return module(x, training=c.training)


def _features(c: Config) -> tuple[int, ...]:
    return (c.batch, c.features)


DROPOUT = _dropout(
    "dropout",
    {
        "textbook": {"features": 64, "p": 0.5},
        "alexnet_fc": {"features": 4096, "p": 0.5},
        "bert_base_ffn": {"features": 768, "p": 0.1},
    },
    _features,
    _plain,
    {"torch": _torch("Dropout"), "keras": _keras("Dropout")},
    "y = m x / (1 - p), with m = 0 with probability p, else 1",
    source="Srivastava et al. (2014), Journal of Machine Learning Research 15, section 10",
)

ALPHA_FORMULA = "y = a (m x + (m - 1) 1.7581) + b, with m = 0 with probability p, else 1"
"""a and b such that mean and variance stay."""
ALPHA_SOURCE = "Klambauer et al. (2017), arXiv:1706.02515, section 3"

OF_VALUES = (
    _dropout(
        "alpha_dropout",
        {
            "textbook": {"features": 64, "p": 0.1},
            "snn_1024": {"features": 1024, "p": 0.05},  # the paper's widest, appendix A4
        },
        _features,
        _alpha,
        {"torch": _torch("AlphaDropout"), "keras": _keras("AlphaDropout")},
        ALPHA_FORMULA,
        operations=4,  # mask, fill, scale, shift
        source=ALPHA_SOURCE,
    ),
)


def _maps(rank: int) -> Callable[[Config], tuple[int, ...]]:
    return lambda c: _spatial.shape(c, rank, c.channels, c.size)


def _keras_maps(rank: int) -> Builder:
    """SpatialDropoutND; that of 1-D has its channels last, and no choice."""
    kind = f"SpatialDropout{rank}D"
    rearranged = {"inputs": _spatial.keras_inputs, "output": _spatial.keras_output}
    if rank > 1:
        return keras_layer(
            kind,
            lambda c: {"rate": c.p, "data_format": _spatial.keras_data_format(c)},
            call=in_training,
            **rearranged,
        )
    return _keras(
        kind,
        unsupported=lambda c: (
            "keras.layers.SpatialDropout1D takes channels last only"
            if c.layout == "channels_first"
            else ""
        ),
        **rearranged,
    )


# Shapes of feature maps. 1-D: the widest of the word-level models in Bai et al. (2018),
# arXiv:1803.01271, table 2; 2-D: ResNet-50's fourth stage; 3-D: the bottom of V-Net for 128³
# voxels, Milletari et al. (2016), arXiv:1606.04797.
_TEXTBOOK: Mapping[str, Value] = {"channels": 16, "size": 8, "p": 0.5, "layout": "native"}
_REALISTIC: Mapping[int, tuple[str, Mapping[str, Value]]] = {
    1: ("tcn_ptb", {"channels": 600, "size": 80, "p": 0.5, "layout": "native"}),
    2: ("resnet50_conv4", {"channels": 256, "size": 14, "p": 0.1, "layout": "native"}),
    3: ("vnet_bottom", {"channels": 256, "size": 8, "p": 0.5, "layout": "native"}),
}

OF_CHANNELS = (
    *(
        _dropout(
            f"dropout{rank}d",
            {"textbook": _TEXTBOOK, preset: realistic},
            _maps(rank),
            _plain,
            {
                "torch": _torch(f"Dropout{rank}d", channels_last=_spatial.torch_channels_last),
                "keras": _keras_maps(rank),
            },
            "y = m x / (1 - p), with m = 0 with probability p, else 1, a channel at a time",
            source="Tompson et al. (2015), arXiv:1411.4280, section 3.2",
        )
        for rank, (preset, realistic) in _REALISTIC.items()
    ),
    _dropout(
        "feature_alpha_dropout",
        {"textbook": _TEXTBOOK, _REALISTIC[2][0]: _REALISTIC[2][1]},
        _maps(2),
        _alpha,
        {"torch": _torch("FeatureAlphaDropout", channels_last=_spatial.torch_channels_last)},
        f"{ALPHA_FORMULA}, a channel at a time",
        operations=4,
        source=ALPHA_SOURCE,
    ),
)
