"""Group and instance normalization: statistics of one image, a group of its channels at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from harness.checks import Allowed
from harness.layer import Array, Arrays, Builder, Config, Layer
from harness.types import Value
from suites import _spatial
from suites.normalization.affine import (
    EPSILON,
    STATISTICS,
    affine_weights,
    keras_axis,
    standardized,
    torch_affine,
)


def _reference(inputs: Arrays, weights: Arrays, groups: int) -> Array:
    x = inputs["x"]
    y = standardized(x.reshape(len(x), groups, -1), axes=(2,)).reshape(x.shape)
    if not weights:
        return y
    of_channel = (-1, *(1,) * (x.ndim - 2))
    return y * weights["gamma"].reshape(of_channel) + weights["beta"].reshape(of_channel)


def _declare(
    name: str,
    rank: int,
    presets: Mapping[str, Mapping[str, Value]],
    torch: Callable[[Any, Config], Any],
    covers: str,
    formula: str,
    source: str,
    allowed: Mapping[str, Allowed],
) -> Layer:
    """Each channel a group of its own where there is no parameter ``groups``.

    Args:
        name: of the layer.
        rank: how many axes of space there are.
        presets: see `Layer`.
        torch: (torch.nn, config) -> the module.
        covers: the name of its class.
        formula: which channels are a group, as its end.
        source: see `Layer`.
        allowed: likewise.
    """

    def shape(c: Config) -> tuple[int, ...]:
        return _spatial.shape(c, rank, c.features, c.size)

    def groups(c: Config) -> int:
        return int(c.params.get("groups", c.features))

    def affine(c: Config) -> bool:
        return bool(c.params.get("affine", True))

    def torch_build(c: Config) -> Any:
        from torch import nn

        return torch(nn, c)

    def keras_build(c: Config) -> Any:
        import keras

        return keras.layers.GroupNormalization(
            c.params.get("groups", -1),
            axis=keras_axis(c),
            epsilon=EPSILON,
            center=affine(c),
            scale=affine(c),
        )

    return Layer(
        name=name,
        family="normalization",
        formula=f"y = gamma (x - mean) / sqrt(variance + 1e-5) + beta, with mean and variance "
        f"(biased) of {formula}",
        presets=presets,
        inputs=lambda c: _spatial.images(c, rank, c.features),
        weights=lambda c: affine_weights(c.features) if affine(c) else {},
        output=shape,
        reference=lambda inputs, weights, c: _reference(inputs, weights, groups(c)),
        flops=lambda c: (2 + STATISTICS + 2 * affine(c)) * math.prod(shape(c)),
        products=lambda c: 0,
        builders={
            "torch": Builder(
                torch_build,
                weights=torch_affine,
                covers=(f"torch.nn.{covers}",),
                channels_last=_spatial.torch_channels_last,
                unsupported=lambda c: _spatial.torch_unsupported(c, rank),
            ),
            "keras": Builder(
                keras_build,
                inputs=_spatial.keras_inputs,
                output=_spatial.keras_output,
                covers=("keras.layers.GroupNormalization",),
            ),
        },
        terms=lambda c: math.prod(shape(c)) // (c.batch * groups(c)),
        allowed=allowed,
        source=source,
    )


def _instance_norm(rank: int, presets: Mapping[str, Mapping[str, Value]]) -> Layer:
    kind = f"InstanceNorm{rank}d"
    return _declare(
        f"instance_norm{rank}d",
        rank,
        presets,
        lambda nn, c: getattr(nn, kind)(c.features, eps=EPSILON, affine=c.affine),
        kind,
        "each channel of each item; without gamma and beta where affine is False",
        "Ulyanov et al. (2016), arXiv:1607.08022",
        {"size": Allowed(least=2)},  # one value has no variance
    )


def _instance(features: int, size: int, affine: bool = False) -> dict[str, Value]:
    """`affine` is False by default in torch, and True in Keras, where two options say so."""
    return {"features": features, "size": size, "affine": affine, "layout": "native"}


GROUP_NORMS = (
    _declare(
        "group_norm",
        2,
        {
            "textbook": {"groups": 8, "features": 32, "size": 8, "layout": "native"},
            # The U-Net for CIFAR-10 at its full resolution: Ho et al. (2020), arXiv:2006.11239.
            "ddpm_cifar10": {"groups": 32, "features": 128, "size": 32, "layout": "native"},
        },
        lambda nn, c: nn.GroupNorm(c.groups, c.features, eps=EPSILON),
        "GroupNorm",
        "each group of adjacent channels of each item",
        "Wu and He (2018), arXiv:1803.08494",
        {"groups": Allowed(divides="features")},
    ),
    # Downsampled speech of 128 frames: Kaneko and Kameoka (2017), arXiv:1711.11293.
    _instance_norm(
        1, {"textbook": _instance(32, 16), "cyclegan_vc": _instance(512, 32, affine=True)}
    ),
    # The discriminator in its third block: Zhu et al. (2017), arXiv:1703.10593.
    _instance_norm(2, {"textbook": _instance(32, 8), "cyclegan": _instance(256, 32)}),
    # The last stage but one of the encoder: Isensee et al. (2019), arXiv:1904.08128.
    _instance_norm(3, {"textbook": _instance(16, 4), "nnu_net": _instance(320, 8, affine=True)}),
)
