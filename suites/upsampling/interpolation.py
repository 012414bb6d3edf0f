"""Upsampling: pixels are repeated, or interpolated.

Where the results stand, along an axis of `size` and scale s:

* With ``align_corners`` off, pixels are areas: result i stands at (i + 1/2) / s - 1/2, and what
  lies outside is as the nearest pixel. Keras has this alone.
* With ``align_corners`` on, pixels are points, and the first and last ones stay where they are:
  result i stands at i (size - 1) / (s size - 1). torch's UpsamplingBilinear2d has this alone.
* Nearest takes pixel floor(i / s), in both frameworks: each is repeated s times.

Keras interpolates between pixels in two axes only. Its bicubic is another one: Keys's parameter is
-1/2 and not -3/4, and the weights of what lies outside are left out, and not its value replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer
from harness.types import Value
from suites import _spatial

KEYS = -0.75
"""The parameter of the cubic kernel in torch; Keys (1981) recommends -1/2."""


def _linear(distance: Array) -> Array:
    weight: Array = np.maximum(0.0, 1 - distance)
    return weight


def _cubic(distance: Array) -> Array:
    """Keys (1981), doi:10.1109/TASSP.1981.1163711, equation 4, with `KEYS` for his -1/2."""
    near = (KEYS + 2) * distance**3 - (KEYS + 3) * distance**2 + 1
    far = KEYS * (distance**3 - 5 * distance**2 + 8 * distance - 4)
    return np.where(distance < 1, near, np.where(distance < 2, far, 0.0))


def _places(c: Config) -> Array:
    """Where each result stands, in pixels of the input."""
    results: Array = np.arange(c.size * c.scale, dtype=np.float64)
    if c.align_corners:
        results *= (c.size - 1) / (c.size * c.scale - 1)
        return results
    results += 0.5
    results /= c.scale
    return results - 0.5


def _mixing(c: Config, kernel: Callable[[Array], Array], taps: int) -> Array:
    """The weight of each pixel of an axis in each result, (results, size)."""
    places = _places(c)
    weights = np.zeros((c.size * c.scale, c.size))
    first = np.floor(places).astype(int) - taps // 2 + 1
    for pixel in (first + tap for tap in range(taps)):
        inside = np.clip(pixel, 0, c.size - 1)
        np.add.at(weights, (np.arange(len(places)), inside), kernel(abs(places - pixel)))
    return weights


def _nearest(c: Config) -> Array:
    return np.repeat(np.eye(c.size), c.scale, axis=0)


def _interpolated(
    inputs: Arrays, _weights: Arrays, c: Config, rank: int, mixing: Callable[[Config], Array]
) -> Array:
    y = inputs["x"]
    for axis in range(2, 2 + rank):
        y = np.moveaxis(np.tensordot(mixing(c), y, axes=(1, axis)), 0, axis)
    return y


def _enlarged(c: Config, rank: int) -> tuple[int, ...]:
    return _spatial.shape(c, rank, c.channels, c.size * c.scale)


def _sums(c: Config, rank: int, taps: int) -> int:
    """A multiply-add a tap and result, its weight being the same for all channels and images."""
    return int(2 * taps**rank * np.prod(_enlarged(c, rank)))


def _roundings(c: Config, rank: int) -> int:
    """Places are computed in float32; along each axis the weights are `size` roundings off."""
    return int((rank * c.size) ** 2)


def _torch_upsample(c: Config, mode: str) -> Any:
    from torch import nn

    corners = None if mode == "nearest" else c.align_corners
    return nn.Upsample(scale_factor=c.scale, mode=mode, align_corners=corners)


def _keras_upsample(c: Config, rank: int, mode: str) -> Any:
    import keras

    told = {} if rank == 1 else {"data_format": _spatial.keras_data_format(c)}
    if rank == 2:
        told["interpolation"] = mode
    return getattr(keras.layers, f"UpSampling{rank}D")(c.scale, **told)


def _keras_unsupported(c: Config, rank: int, mode: str) -> str:
    if mode != "nearest" and c.align_corners:
        return "Keras interpolates with pixels as areas; it has no align_corners"
    return _spatial.keras_channels_last_only(c, rank)


def _upsample(
    rank: int,
    mode: str,
    formula: str,
    presets: Mapping[str, Mapping[str, Value]],
    *,
    taps: int,
    kernel: Callable[[Array], Array] | None = None,
    also: tuple[str, ...] = (),
    lacking: Mapping[str, str] | None = None,
) -> Layer:
    """`mode` is torch's name, and Keras's; without a kernel, pixels are repeated.

    `also` names classes of torch that are Upsample with its mode said beforehand.
    """
    mixing = partial(_mixing, kernel=kernel, taps=taps) if kernel else _nearest
    enlarged = partial(_enlarged, rank=rank)
    sums = partial(_sums, rank=rank, taps=taps)
    torch = Builder(
        partial(_torch_upsample, mode=mode),
        covers=("torch.nn.Upsample", *also),
        unsupported=partial(_spatial.torch_unsupported, rank=rank),
        channels_last=_spatial.torch_channels_last,
    )
    keras = Builder(
        partial(_keras_upsample, rank=rank, mode=mode),
        inputs=_spatial.keras_inputs,
        output=_spatial.keras_output,
        covers=(f"keras.layers.UpSampling{rank}D",),
        unsupported=partial(_keras_unsupported, rank=rank, mode=mode),
    )
    return Layer(
        name=f"upsample_{mode}{rank}d",
        family="upsampling",
        formula=formula,
        presets=presets,
        inputs=lambda c: _spatial.images(c, rank, c.channels),
        output=enlarged,
        reference=partial(_interpolated, rank=rank, mixing=mixing),
        flops=sums if kernel else lambda c: 0,
        products=lambda c: 0,
        # What a pixel went into is summed up, with the same weights; repeated, with none.
        backward_flops=sums if kernel else lambda c: int(np.prod(enlarged(c))),
        terms=partial(_roundings, rank=rank) if kernel else None,
        builders={"torch": torch} if lacking else {"torch": torch, "keras": keras},
        lacking=lacking or {},
        source="Keys (1981), doi:10.1109/TASSP.1981.1163711" if kernel is _cubic else "",
    )


def _preset(channels: int, size: int, scale: int = 2) -> dict[str, Value]:
    return {"channels": channels, "size": size, "scale": scale, "layout": "native"}


def _pixels(channels: int, size: int, scale: int = 2) -> dict[str, Value]:
    """Of what is interpolated, not repeated."""
    return {**_preset(channels, size, scale), "align_corners": False}


_NO_KERAS_INTERPOLATION = {"keras": "Keras interpolates in two axes only; in others it repeats"}
_OTHER_CUBIC = {"keras": "Keras's bicubic has Keys's parameter at -1/2, torch's at -3/4"}
_REPEATED = "y[i] = x[floor(i / scale)], along each axis"
_WEIGHTED = (
    "y[i] = sum over j of k(|p(i) - j|) x[j], along each axis, with p(i) = (i + 1/2) / scale"
)
_LINEAR = f"{_WEIGHTED} - 1/2, or i (size - 1) / (scale size - 1) to align corners; k(d) = 1 - d"
_CUBIC = f"{_WEIGHTED} - 1/2, or i (size - 1) / (scale size - 1) to align corners; k is cubic"

# WaveGAN: Donahue et al. (2019), arXiv:1802.04208, with its upsampling by nearest neighbours. FPN:
# the finest top-down step, of images of 224; Lin et al. (2017), arXiv:1612.03144. SegResNet: the
# first step up, for a patch of 64; Myronenko (2018), arXiv:1810.11654. Wave-U-Net: a level of the
# decoder, over 16,384 samples; Stoller et al. (2018), arXiv:1806.03185. StyleGAN: Karras et al.
# (2019), arXiv:1812.04948, section 2. EDSR: the patches it is trained with; Lim et al. (2017),
# arXiv:1707.02921.
UPSAMPLED = (
    _upsample(
        1,
        "nearest",
        _REPEATED,
        {"textbook": _preset(16, 128), "wavegan_first": _preset(1024, 16, scale=4)},
        taps=1,
    ),
    _upsample(
        2,
        "nearest",
        _REPEATED,
        {"textbook": _preset(16, 16), "fpn_finest": _preset(256, 14)},
        taps=1,
        also=("torch.nn.UpsamplingNearest2d",),
    ),
    _upsample(
        3,
        "nearest",
        _REPEATED,
        {"textbook": _preset(4, 8), "segresnet_first": _preset(128, 8)},
        taps=1,
    ),
    _upsample(
        1,
        "linear",
        _LINEAR,
        {"textbook": _pixels(16, 128), "wave_u_net_level": _pixels(192, 128)},
        taps=2,
        kernel=_linear,
        lacking=_NO_KERAS_INTERPOLATION,
    ),
    _upsample(
        2,
        "bilinear",
        _LINEAR,
        {
            "textbook": _pixels(16, 16),
            "stylegan_8_to_16": _pixels(512, 8),
            # UpsamplingBilinear2d aligns corners; the other presets of both frameworks do not.
            "corners": {**_pixels(16, 16), "align_corners": True},
        },
        taps=2,
        kernel=_linear,
        also=("torch.nn.UpsamplingBilinear2d",),
    ),
    _upsample(
        2,
        "bicubic",
        _CUBIC,
        {"textbook": _pixels(3, 16), "edsr_patch": _pixels(3, 48)},
        taps=4,
        kernel=_cubic,
        lacking=_OTHER_CUBIC,
    ),
    _upsample(
        3,
        "trilinear",
        _LINEAR,
        {"textbook": _pixels(4, 8), "segresnet_first": _pixels(128, 8)},
        taps=2,
        kernel=_linear,
        lacking=_NO_KERAS_INTERPOLATION,
    ),
)
