"""Layers that make space of channels, channels of space, or mix up the channels' order.

They compute nothing. Keras has no such layers; its ``ops.depth_to_space`` counts the channels in
another order (the place in the block first), so that it does not give what torch gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.checks import Allowed
from harness.layer import Array, Arrays, Builder, Config, Layer, normal
from harness.types import Value
from suites import _spatial
from suites._lacking import NO_KERAS


def _fine(c: Config) -> tuple[int, ...]:
    return _spatial.shape(c, 2, c.channels, c.size * c.factor)


def _deep(c: Config) -> tuple[int, ...]:
    return _spatial.shape(c, 2, c.channels * c.factor**2, c.size)


def _unchanged(c: Config) -> tuple[int, ...]:
    return _spatial.shape(c, 2, c.channels, c.size)


def _pixel_shuffle(inputs: Arrays, _weights: Arrays, c: Config) -> Array:
    deep = inputs["x"].reshape(c.batch, c.channels, c.factor, c.factor, c.size, c.size)
    fine: Array = deep.transpose(0, 1, 4, 2, 5, 3).reshape(_fine(c))
    return fine


def _pixel_unshuffle(inputs: Arrays, _weights: Arrays, c: Config) -> Array:
    fine = inputs["x"].reshape(c.batch, c.channels, c.size, c.factor, c.size, c.factor)
    deep: Array = fine.transpose(0, 1, 3, 5, 2, 4).reshape(_deep(c))
    return deep


def _channel_shuffle(inputs: Arrays, _weights: Arrays, c: Config) -> Array:
    grouped = inputs["x"].reshape(c.batch, c.groups, -1, c.size, c.size)
    return grouped.swapaxes(1, 2).reshape(inputs["x"].shape)


def _torch(kind: str, argument: str) -> Callable[[Config], Any]:
    def build(c: Config) -> Any:
        from torch import nn

        return getattr(nn, kind)(getattr(c, argument))

    return build


def _shuffle(
    name: str,
    kind: str,
    formula: str,
    presets: Mapping[str, Mapping[str, Value]],
    *,
    argument: str,
    before: Callable[[Config], tuple[int, ...]],
    after: Callable[[Config], tuple[int, ...]],
    reference: Callable[[Arrays, Arrays, Config], Array],
    allowed: Mapping[str, Allowed] | None = None,
    source: str,
) -> Layer:
    """`kind` is torch's class, and `argument` the parameter that it takes."""
    return Layer(
        name=name,
        family="upsampling",
        formula=formula,
        presets=presets,
        allowed=allowed or {},
        inputs=lambda c: {"x": normal(*before(c))},
        output=after,
        reference=reference,
        flops=lambda c: 0,
        products=lambda c: 0,
        backward_flops=lambda c: 0,
        builders={
            "torch": Builder(
                _torch(kind, argument),
                covers=(f"torch.nn.{kind}",),
                channels_last=_spatial.torch_channels_last,
            )
        },
        lacking=NO_KERAS,
        source=source,
    )


def _preset(channels: int, size: int, **argument: int) -> dict[str, Value]:
    return {"channels": channels, "size": size, **argument, "layout": "native"}


# SRResNet: its first step up, on crops of 24; Ledig et al. (2017), arXiv:1609.04802, section 3.
# FFDNet: its input, of colour patches of 50; Zhang et al. (2018), arXiv:1710.04026, section III.
# ShuffleNet with 3 groups: a bottleneck of stage 2; Zhang et al. (2018), arXiv:1707.01083, table 1.
SHUFFLED = (
    _shuffle(
        "pixel_shuffle",
        "PixelShuffle",
        "y[c, r i + u, r j + v] = x[r^2 c + r u + v, i, j], with r = factor and u, v < r",
        {"textbook": _preset(4, 16, factor=2), "srresnet_first": _preset(64, 24, factor=2)},
        argument="factor",
        before=_deep,
        after=_fine,
        reference=_pixel_shuffle,
        source="Shi et al. (2016), arXiv:1609.05158, equation 4",
    ),
    _shuffle(
        "pixel_unshuffle",
        "PixelUnshuffle",
        "y[r^2 c + r u + v, i, j] = x[c, r i + u, r j + v], with r = factor and u, v < r",
        {"textbook": _preset(4, 16, factor=2), "ffdnet_color": _preset(3, 25, factor=2)},
        argument="factor",
        before=_fine,
        after=_deep,
        reference=_pixel_unshuffle,
        source="Zhang et al. (2018), arXiv:1710.04026, section III",
    ),
    _shuffle(
        "channel_shuffle",
        "ChannelShuffle",
        "y[groups c + g] = x[(channels / groups) g + c], with g < groups",
        {"textbook": _preset(16, 16, groups=4), "shufflenet_stage2": _preset(60, 28, groups=3)},
        argument="groups",
        before=_unchanged,
        after=_unchanged,
        reference=_channel_shuffle,
        allowed={"groups": Allowed(divides="channels")},
        source="Zhang et al. (2018), arXiv:1707.01083, section 3.1",
    ),
)
