"""As many windows as are asked for, of whatever size that takes; global pooling asks for one.

torch has no class for global pooling: its users ask adaptive pooling for one window, and leave the
axes of space out. So does the builder here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.layer import Config, Layer
from harness.types import Value
from suites.pooling.declaration import (
    MAX,
    MEAN,
    TEXTBOOK_CHANNELS,
    TEXTBOOK_SIZE,
    Kind,
    keras_builder,
    pooling,
    torch_builder,
)
from suites.pooling.windows import adaptive, whole

KINDS: Mapping[str, tuple[Kind, str]] = {"max": (MAX, "Max"), "avg": (MEAN, "Average")}
"""By what torch calls it in short, what it is, and what Keras calls it."""


def _torch_module(rank: int, kind: str) -> Callable[[Config, int], Any]:
    def build(_c: Config, count: int) -> Any:
        from torch import nn

        return getattr(nn, f"Adaptive{kind.title()}Pool{rank}d")(count)

    return build


def _dies(c: Config) -> str:
    """Of Keras 3.15 on TensorFlow, which pools with windows of ceil(n / m) + 1 values, too.

    Its maximum of none divides by zero; its mean of none, which is thrown away as well, does not.
    """
    if -(-c.size // c.output_size) < c.size:
        return ""
    return "Keras pools with a window of size + 1 here, of which TensorFlow's process dies (SIGFPE)"


def _adaptive(kind: str, rank: int, realistic: Mapping[str, Mapping[str, Value]]) -> Layer:
    of, keras_name = KINDS[kind]
    build = _torch_module(rank, kind)
    # 3 divides no size here, so that windows overlap.
    sizes = {"channels": TEXTBOOK_CHANNELS[rank], "size": TEXTBOOK_SIZE[rank], "output_size": 3}
    return pooling(
        f"adaptive_{kind}_pool",
        rank,
        of,
        adaptive,
        {"textbook": sizes, **realistic},
        formula="[floor(i n / m), ceil((i + 1) n / m)) of n values, for m = output_size results",
        torch=torch_builder(
            rank,
            lambda c: build(c, c.output_size),
            covers=(f"torch.nn.Adaptive{kind.title()}Pool{rank}d",),
        ),
        keras=keras_builder(
            f"Adaptive{keras_name}Pooling{rank}D",
            lambda c: {"output_size": c.output_size},
            unsupported=_dies if kind == "max" else lambda c: "",
        ),
        source="He et al. (2014), arXiv:1406.4729, section 2.3",
    )


def _global(kind: str, rank: int, realistic: Mapping[str, Mapping[str, Value]]) -> Layer:
    of, keras_name = KINDS[kind]
    build = _torch_module(rank, kind)
    sizes = {"channels": TEXTBOOK_CHANNELS[rank], "size": TEXTBOOK_SIZE[rank]}
    return pooling(
        f"global_{kind}_pool",
        rank,
        of,
        whole,
        {"textbook": sizes, **realistic},
        formula="that is a whole channel",
        torch=torch_builder(
            rank,
            lambda c: build(c, 1),
            call=lambda module, c, x: module(x).flatten(1),
        ),
        keras=keras_builder(f"Global{keras_name}Pooling{rank}D", lambda c: {}),
        flat=True,
        source="Lin et al. (2013), arXiv:1312.4400, section 3.2",
    )


# Dai et al. (2016), arXiv:1610.00087, table 1, M5: what is left of a waveform at its end.
M5: Mapping[str, Value] = {"channels": 512, "size": 31}
# He et al. (2015), arXiv:1512.03385: the end of ResNet-50.
RESNET50: Mapping[str, Value] = {"channels": 2048, "size": 7}
# Huang et al. (2016), arXiv:1608.06993: the end of DenseNet-121, on 96^3 voxels.
DENSENET: Mapping[str, Value] = {"channels": 1024, "size": 3}

ADAPTIVE = (
    # The ends of networks again, in the windows of a pyramid; one window is global pooling.
    *(_adaptive(kind, 1, {"m5_pyramid": {**M5, "output_size": 4}}) for kind in KINDS),
    # He et al. (2014), arXiv:1406.4729: SPP-net's finest pooling, 13 x 13 to 6 x 6, overlapping.
    *(
        _adaptive(kind, 2, {"spp_net": {"channels": 256, "size": 13, "output_size": 6}})
        for kind in KINDS
    ),
    *(
        _adaptive(kind, 3, {"densenet121_pyramid": {**DENSENET, "output_size": 2}})
        for kind in KINDS
    ),
    *(_global(kind, 1, {"m5_head": M5}) for kind in KINDS),
    *(_global(kind, 2, {"resnet50_head": RESNET50}) for kind in KINDS),
    *(_global(kind, 3, {"densenet121_head": DENSENET}) for kind in KINDS),
)
