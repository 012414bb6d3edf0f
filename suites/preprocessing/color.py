"""Formulas of layers that change values where they stand, of images (batch, 3, rows, columns).

Values reach from 0 to 255. Sources are the layers' pages at https://keras.io/api/layers.
"""

from __future__ import annotations

import numpy as np

from harness.layer import Array, Config
from suites.preprocessing.checks import BRIGHTEST

GRAY = (0.2989, 0.5870, 0.1140)
"""Of red, green and blue in the luma of ITU-R BT.601, in four digits as frameworks have it."""
SMOOTH_EDGE, SMOOTH_CENTER = 1 / 13, 5 / 13
"""Of the kernel that sharpening is the opposite of; as in PIL's ImageEnhance.Sharpness."""


def clipped(x: Array) -> Array:
    return np.clip(x, 0, BRIGHTEST)


def brightened(x: Array, c: Config) -> Array:
    return clipped(x + c.factor * BRIGHTEST)


def contrasted(x: Array, c: Config) -> Array:
    mean = x.mean(axis=(2, 3), keepdims=True)
    return clipped((x - mean) * (1 + c.factor) + mean)


def gray(x: Array) -> Array:
    """(batch, 1, rows, columns)."""
    luma: Array = np.einsum("bchw,c->bhw", x, GRAY)
    return luma[:, None]


def degenerated(x: Array, c: Config) -> Array:
    return clipped(x + c.factor * (gray(x) - x))


def saturated(x: Array, c: Config) -> Array:
    """The saturation times f / (1 - f), which leaves the largest value as it is.

    Beyond f = 1/2 saturations above 1 come of it, since Keras clips them at 255.
    """
    value = x.max(axis=1, keepdims=True)
    result: Array = value - c.factor / (1 - c.factor) * (value - x)
    return result


def hue_turned(x: Array, turn: float) -> Array:
    """The hue turned by a part of the circle.

    Source: Smith (1978), doi:10.1145/965139.807361.
    """
    red, green, blue = np.moveaxis(x, 1, 0)
    value, chroma = x.max(axis=1), np.ptp(x, axis=1)
    some = np.where(chroma > 0, chroma, 1)
    sector = np.select(
        [value == red, value == green],
        [(green - blue) / some, 2 + (blue - red) / some],
        4 + (red - green) / some,
    )
    turned = np.mod(sector + 6 * turn, 6)
    channels = []
    for start in (5, 3, 1):
        k = np.mod(start + turned, 6)
        channels.append(value - chroma * np.clip(np.minimum(k, 4 - k), 0, 1))
    return np.stack(channels, axis=1)


def jittered(x: Array, c: Config, turn: float) -> Array:
    return clipped(hue_turned(saturated(contrasted(brightened(x, c), c), c), turn))


def sharpened(x: Array, c: Config) -> Array:
    kernel = np.full((3, 3), SMOOTH_EDGE)
    kernel[1, 1] = SMOOTH_CENTER
    return clipped(x + (1 - 2 * c.factor) * (correlated(x, kernel) - x))


def blurred(x: Array, c: Config) -> Array:
    at = np.arange(c.kernel) - (c.kernel - 1) / 2
    line = np.exp(-0.5 * (at / c.sigma) ** 2)
    line /= line.sum()
    return correlated(x, np.outer(line, line))


def correlated(x: Array, kernel: Array) -> Array:
    """Each channel with the kernel, of odd size, zeros around."""
    border = len(kernel) // 2
    padded = np.pad(x, ((0, 0), (0, 0), (border, border), (border, border)))
    rows, columns = x.shape[2:]
    total = np.zeros(x.shape)
    for (row, column), weight in np.ndenumerate(kernel):
        total += weight * padded[:, :, row : row + rows, column : column + columns]
    return total


def posterized(x: Array, c: Config) -> Array:
    """The first ``bits`` of 8 bits."""
    step = 2 ** (8 - int(c.bits))
    result: Array = np.floor(x / step) * step
    return result


def solarized(x: Array, c: Config) -> Array:
    """What is at or above a threshold is inverted; it and what is added first are drawn from 0 on.

    Here they are drawn from 0 to 0, so that everything is inverted, as by default.
    """
    return BRIGHTEST - x


def stretched(x: Array, c: Config) -> Array:
    """Each channel of each image, so that it reaches from 0 to 255."""
    low, high = x.min(axis=(2, 3), keepdims=True), x.max(axis=(2, 3), keepdims=True)
    result: Array = (x - low) * BRIGHTEST / (high - low)
    return result


def equalized(x: Array, c: Config) -> Array:
    """Each channel through its cumulated histogram.

    Keras makes one histogram of all images of the batch.
    """
    result = np.empty(x.shape)
    for channel in range(x.shape[1]):
        values = x[:, channel].astype(np.int64)
        counts = np.bincount(values.ravel(), minlength=256).cumsum()
        least = counts[counts > 0][0]
        table = np.round((counts - least) * BRIGHTEST / max(counts[-1] - least, 1))
        result[:, channel] = np.clip(table, 0, BRIGHTEST)[values]
    return result


TILES = 8
"""Of adaptive equalization, along each axis; Keras's default, as is the limit."""
CLIP_LIMIT = 4.0


def adaptively_equalized(x: Array, c: Config) -> Array:
    """Through the cumulated histograms of the four nearest of 8 x 8 tiles, bilinearly.

    Source: Zuiderveld (1994), Contrast limited adaptive histogram equalization, Graphics Gems IV.
    """
    side = c.size // TILES
    tables = _tables(x, side)
    at = (np.arange(c.size) - side / 2) / side
    low = np.floor(at)
    share = at - low
    before = np.clip(low, 0, TILES - 1).astype(np.int64)
    after = np.clip(low + 1, 0, TILES - 1).astype(np.int64)
    values = x.astype(np.int64)
    image, channel = np.indices(x.shape[:2])[:, :, :, None, None]

    def seen(rows: Array, columns: Array) -> Array:
        found: Array = tables[image, channel, rows[:, None], columns[None, :], values]
        return found

    top = seen(before, before) * (1 - share) + seen(before, after) * share
    bottom = seen(after, before) * (1 - share) + seen(after, after) * share
    result: Array = top * (1 - share[:, None]) + bottom * share[:, None]
    return result


def _tables(x: Array, side: int) -> Array:
    """(batch, channels, 8, 8, 256): what becomes of each value, by tile of `side` x `side`."""
    tiles = x.reshape(*x.shape[:2], TILES, side, TILES, side).swapaxes(3, 4)
    flat = tiles.reshape(*tiles.shape[:4], -1).astype(np.int64)
    counts = np.zeros((*flat.shape[:4], 256))
    index = np.indices(flat.shape)[:4]
    np.add.at(counts, (*index, flat), 1)
    limited = np.minimum(counts, CLIP_LIMIT * side**2 / 256)
    limited += (counts - limited).sum(axis=-1, keepdims=True) / 256
    cumulated = limited.cumsum(axis=-1)
    least = cumulated[..., :1]
    rest = side**2 - least
    return clipped((cumulated - least) * BRIGHTEST / np.where(rest == 0, 1, rest))
