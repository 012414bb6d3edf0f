"""Image layers that change values where they stand: a line or a few each, after their formulas.

Operations are counted for a pixel, its three channels together, as formulas have them; choosing
between values is none.
"""

from __future__ import annotations

from typing import Any

from harness.layer import Config
from suites.preprocessing import color, geometry
from suites.preprocessing.checks import BRIGHTEST, one_of
from suites.preprocessing.declaration import BILINEAR, CHANNELS, SEEDED, always, factor, image

GRAY = 2 * CHANNELS
HUE = 8 + 8 * CHANNELS
"""Of a pixel: extremes 4, chroma 1, sector 2, turn 1; then 8 for each channel."""


def _from_0_on(c: Config) -> dict[str, Any]:
    """Of contrast, which is drawn from 1 - lower to 1 + upper: of this range it is 1 + factor."""
    return {"factor": (-c.factor, c.factor), **SEEDED}


def _jitter(c: Config) -> dict[str, Any]:
    pinned = (c.factor, c.factor)
    return {
        "brightness_factor": pinned,
        "contrast_factor": (-c.factor, c.factor),
        "saturation_factor": pinned,
        "hue_factor": pinned,
        **SEEDED,
    }


VALUES = (
    image(
        "rescaling",
        "Rescaling",
        lambda c: {"scale": 1 / 127.5, "offset": -1.0},
        "y = x / 127.5 - 1",
        lambda c: 2 * CHANNELS,
        reference=lambda x, c: x / 127.5 - 1,
        has_format=False,
    ),
    image(
        "random_brightness",
        "RandomBrightness",
        factor,
        "y = clip(x + 255 factor)",
        lambda c: 2 * CHANNELS,
        params={"factor": 0.2},
        reference=color.brightened,
    ),
    image(
        "random_contrast",
        "RandomContrast",
        _from_0_on,
        "y = clip((x - mean) (1 + factor) + mean), mean over a channel of an image",
        lambda c: 5 * CHANNELS,
        params={"factor": 0.2},
        reference=color.contrasted,
    ),
    image(
        "random_color_degeneration",
        "RandomColorDegeneration",
        factor,
        "y = clip(x + factor (gray - x)), gray = 0.2989 r + 0.587 g + 0.114 b",
        lambda c: GRAY + 4 * CHANNELS,
        params={"factor": 0.3},
        reference=color.degenerated,
        products=lambda c: GRAY,
    ),
    image(
        "random_grayscale",
        "RandomGrayscale",
        lambda c: {"factor": c.probability, **SEEDED},
        "y = 0.2989 r + 0.587 g + 0.114 b in each channel, with a probability, else x",
        lambda c: GRAY,
        params={"probability": 0.5},
        check=one_of(
            lambda x, c: [x, color.gray(x).repeat(CHANNELS, axis=1)],
            chance=lambda c: c.probability,
        ),
        products=lambda c: GRAY,
    ),
    image(
        "random_invert",
        "RandomInvert",
        lambda c: {"factor": (c.probability, c.probability), **SEEDED},
        "y = 255 - x, with a probability, else x",
        lambda c: CHANNELS,
        params={"probability": 0.5},
        check=one_of(lambda x, c: [x, BRIGHTEST - x], chance=lambda c: c.probability),
    ),
    image(
        "random_posterization",
        "RandomPosterization",
        lambda c: {"factor": (c.bits, c.bits), **SEEDED},
        "y = x's first bits of 8",
        lambda c: 2 * CHANNELS,
        params={"bits": 3},
        reference=color.posterized,
    ),
    image(
        "solarization",
        "Solarization",
        lambda c: SEEDED,
        "y = 255 - x where x + addition is at or above a threshold, both 0 here",
        lambda c: 4 * CHANNELS,
        reference=color.solarized,
    ),
    image(
        "random_saturation",
        "RandomSaturation",
        factor,
        "y = v - factor / (1 - factor) (v - x), v = max(r, g, b)",
        lambda c: 2 + 3 * CHANNELS,
        params={"factor": 0.3},
        check=one_of(lambda x, c: [color.saturated(x, c)]),
    ),
    image(
        "random_hue",
        "RandomHue",
        factor,
        "y = x with its hue turned by factor / 2 of the circle, forwards or backwards",
        lambda c: HUE,
        params={"factor": 0.3},
        check=one_of(lambda x, c: [color.hue_turned(x, sign * c.factor / 2) for sign in (1, -1)]),
    ),
    image(
        "random_color_jitter",
        "RandomColorJitter",
        _jitter,
        "y = x after random brightness, contrast, saturation and hue, of the same factor",
        lambda c: 2 + 10 * CHANNELS + HUE,
        params={"factor": 0.2},
        check=one_of(lambda x, c: [color.jittered(x, c, sign * c.factor / 2) for sign in (1, -1)]),
        any_layout=False,
    ),
    image(
        "random_sharpness",
        "RandomSharpness",
        factor,
        "y = clip(x + (1 - 2 factor) (smooth - x)), smooth = x * [[1, 1, 1], [1, 5, 1], [1, 1, 1]] "
        "/ 13",
        lambda c: (18 + 4) * CHANNELS,
        params={"factor": 0.8},
        reference=color.sharpened,
        products=lambda c: 18 * CHANNELS,
    ),
    image(
        "random_gaussian_blur",
        "RandomGaussianBlur",
        lambda c: {"kernel_size": c.kernel, "sigma": (c.sigma, c.sigma), **always(c)},
        "y = x * g, g[i, j] ~ exp(-(i^2 + j^2) / (2 sigma^2)), of sum 1",
        lambda c: 2 * c.kernel**2 * CHANNELS,
        params={"kernel": 3, "sigma": 1.0},
        check=one_of(lambda x, c: [color.clipped(color.blurred(x, c))]),
        products=lambda c: 2 * c.kernel**2 * CHANNELS,
    ),
    image(
        "auto_contrast",
        "AutoContrast",
        lambda c: {},
        "y = 255 (x - min) / (max - min), over a channel of an image",
        lambda c: 5 * CHANNELS,
        reference=color.stretched,
        any_layout=False,
    ),
    image(
        "equalization",
        "Equalization",
        lambda c: {},
        "y = round(255 (n(x) - n(min)) / (n(max) - n(min))), n(x) = how many values of a channel "
        "are x or less, in the whole batch",
        lambda c: CHANNELS,
        reference=color.equalized,
    ),
    # Its histograms are one-hot codes in Keras, 1 KiB a value: hence smaller images.
    image(
        "clahe",
        "ContrastLimitedAdaptiveHistogramEqualization",
        lambda c: {},
        "y = x through the cumulated histograms, cut off at 4 times their mean, of the 4 nearest "
        "of 8 x 8 tiles, bilinearly",
        lambda c: BILINEAR + CHANNELS,
        sizes=(16, 64),
        check=one_of(lambda x, c: [color.adaptively_equalized(x, c)], roundings=geometry.roundings),
        source="Zuiderveld (1994), Graphics Gems IV",
    ),
)
