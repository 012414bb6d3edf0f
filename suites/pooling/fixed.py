"""Windows of a fixed size at a fixed stride: of maxima, of means, and of Lp norms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.checks import Allowed
from harness.layer import Builder, Config, Layer
from harness.types import Value
from suites.pooling.declaration import (
    LP,
    MAX,
    MEAN,
    TEXTBOOK_CHANNELS,
    TEXTBOOK_SIZE,
    keras_builder,
    pooling,
    torch_builder,
)
from suites.pooling.windows import fixed

KERAS_NAMES = {"Max": "MaxPooling", "Avg": "AveragePooling"}


def _torch(rank: int, kind: str) -> Builder:
    def build(c: Config) -> Any:
        from torch import nn

        make = getattr(nn, f"{kind}Pool{rank}d")
        if kind == "LP":
            return make(c.norm_type, c.kernel, c.stride)
        # Keras counts no padding; torch does unless told.
        mean = {"count_include_pad": False} if kind == "Avg" else {}
        return make(c.kernel, c.stride, c.padding, **mean)

    return torch_builder(rank, build, covers=(f"torch.nn.{kind}Pool{rank}d",))


def _keras(rank: int, kind: str) -> Builder | None:
    if kind not in KERAS_NAMES:
        return None
    return keras_builder(
        f"{KERAS_NAMES[kind]}{rank}D",
        lambda c: {
            "pool_size": c.kernel,
            "strides": c.stride,
            "padding": "same" if c.padding else "valid",
        },
        unsupported=_pads_otherwise,
    )


def _pads_otherwise(c: Config) -> str:
    """Keras's padding='same': ceil(size / stride) windows, and what they need, half of it before.

    Source: https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2
    """
    if not c.padding:
        return ""
    needed = max((-(-c.size // c.stride) - 1) * c.stride + c.kernel - c.size, 0)
    before, after = needed // 2, needed - needed // 2
    if (before, after) == (c.padding, c.padding):
        return ""
    return (
        f"Keras pads by itself with padding='same' only, {before} before and {after} after in "
        f"these sizes, not {c.padding} and {c.padding}"
    )


def _layer(kind: str, rank: int, realistic: Mapping[str, Mapping[str, Value]]) -> Layer:
    sizes = {"channels": TEXTBOOK_CHANNELS[rank], "size": TEXTBOOK_SIZE[rank]}
    presets = {"textbook": {**sizes, "kernel": 2, "stride": 2}, **realistic}
    last: dict[str, Value] = {"norm_type": 2} if kind == "LP" else {"padding": 0}
    return pooling(
        f"{kind.lower()}_pool",
        rank,
        {"Max": MAX, "Avg": MEAN, "LP": LP}[kind],
        fixed,
        {name: {**last, **preset} for name, preset in presets.items()},
        formula="of kernel values along each axis, every stride",
        torch=_torch(rank, kind),
        keras=_keras(rank, kind),
        # A root of a sum of odd powers may be of a negative number.
        allowed={"norm_type": Allowed(least=2, multiple_of=2)} if kind == "LP" else {},
        source="https://docs.pytorch.org/docs/stable/nn.html#pooling-layers",
    )


# Dai et al. (2016), arXiv:1610.00087, table 1, M5: the second pooling of a second's waveform.
M5 = {"m5_pool2": {"channels": 128, "size": 2000, "kernel": 4, "stride": 4}}
# Maturana and Scherer (2015), doi:10.1109/IROS.2015.7353481: 32 filters, 12 x 12 x 12 voxels.
VOXNET = {"voxnet": {"channels": 32, "size": 12, "kernel": 2, "stride": 2}}

FIXED = (
    _layer("Max", 1, M5),
    # Szegedy et al. (2015), arXiv:1512.00567, table 1: from 35 x 35 x 288 to 17 x 17.
    _layer("Max", 2, {"inception_v3": {"channels": 288, "size": 35, "kernel": 3, "stride": 2}}),
    _layer("Max", 3, VOXNET),
    # Zeng et al. (2022), arXiv:2205.13504: DLinear's trend, of 321 clients' electricity.
    _layer("Avg", 1, {"dlinear": {"channels": 321, "size": 360, "kernel": 25, "stride": 1}}),
    # The pooling branch of Inception v3's first modules, where torch and Keras pad alike.
    _layer(
        "Avg",
        2,
        {"inception_v3": {"channels": 192, "size": 35, "kernel": 3, "stride": 1, "padding": 1}},
    ),
    # Huang et al. (2016), arXiv:1608.06993: DenseNet-121's last transition, on 96^3 voxels.
    _layer("Avg", 3, {"densenet121": {"channels": 512, "size": 6, "kernel": 2, "stride": 2}}),
    _layer("LP", 1, M5),
    # Sermanet et al. (2012), arXiv:1204.3968: the first stage, 16 features of house numbers.
    _layer("LP", 2, {"svhn": {"channels": 16, "size": 28, "kernel": 2, "stride": 2}}),
    _layer("LP", 3, VOXNET),
)
