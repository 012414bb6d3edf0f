"""Local response normalization, over neighbouring channels; torch has it twice, Keras not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from harness.checks import Allowed
from harness.layer import Array, Arrays, Builder, Config, Layer
from suites import _spatial
from suites._lacking import NO_KERAS

ALPHA, BETA, K = 1.0, 0.75, 2.0
"""AlexNet's but for alpha, 1e-4 there, in torch's count, which takes the mean of the squares: a
window would hardly show in the results. None of them makes a difference to the time."""


def _shape(c: Config) -> tuple[int, ...]:
    return _spatial.shape(c, 2, c.features, c.size)


def _declare(
    name: str,
    kind: str,
    formula: str,
    window: Callable[[Config, int], Iterable[int]],
    unsupported: Callable[[Config], str],
) -> Layer:
    """`window` gives the channels whose squares a channel is divided by, by its number."""

    def reference(inputs: Arrays, weights: Arrays, c: Config) -> Array:
        squares = inputs["x"] ** 2
        sums = [squares[:, list(window(c, i))].sum(axis=1) for i in range(c.features)]
        scaled: Array = inputs["x"] / (K + ALPHA / c.window * np.stack(sums, axis=1)) ** BETA
        return scaled

    def build(c: Config) -> Any:
        from torch import nn

        return getattr(nn, kind)(c.window, alpha=ALPHA, beta=BETA, k=K)

    return Layer(
        name=name,
        family="normalization",
        formula=formula,
        presets={
            "textbook": {"features": 16, "size": 8, "window": 5, "layout": "native"},
            # After the second convolution of Krizhevsky et al. (2012), section 3.3.
            "alexnet_conv2": {"features": 256, "size": 27, "window": 5, "layout": "native"},
        },
        inputs=lambda c: _spatial.images(c, 2, c.features),
        output=_shape,
        reference=reference,
        # Square and window's sum; alpha, k, power and division.
        flops=lambda c: (1 + c.window + 4) * math.prod(_shape(c)),
        products=lambda c: 0,
        builders={
            "torch": Builder(
                build,
                covers=(f"torch.nn.{kind}",),
                channels_last=_spatial.torch_channels_last,
                unsupported=unsupported,
            )
        },
        lacking=NO_KERAS,
        allowed={"window": Allowed(least=1)},
        source="Krizhevsky et al. (2012), doi:10.1145/3065386, section 3.3",
    )


def _neighbours(c: Config, channel: int) -> range:
    """An even window has one more before the channel than behind it."""
    first = channel - c.window // 2
    return range(max(0, first), min(c.features, first + c.window))


def _neighbours_and_first(c: Config, channel: int) -> list[int]:
    """As many on both sides; and torch's running sum never lets go of channel 0."""
    half = (c.window - 1) // 2
    around = range(max(0, channel - half), min(c.features, channel + half + 1))
    return sorted({0, *around})


RESPONSE_NORMS = (
    _declare(
        "local_response_norm",
        "LocalResponseNorm",
        "y = x / (k + alpha mean(squares of the window's channels around it))^beta; channels "
        "beyond the first and last are 0",
        _neighbours,
        lambda c: "",
    ),
    # In torch 2.13 it is not what its documentation says. What it computes forward is checked and
    # timed; what it gives for a gradient belongs to no formula.
    _declare(
        "cross_map_lrn2d",
        "CrossMapLRN2d",
        "y = x / (k + alpha / window sum(squares of the window's channels around it and of "
        "channel 0))^beta",
        _neighbours_and_first,
        lambda c: (
            "the gradient of torch's CrossMapLRN2d is not that of its output: "
            "its window is a channel off"
            if c.training
            else ""
        ),
    ),
)
