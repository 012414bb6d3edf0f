"""Whether a random layer did to each image what it may do, and as often as it should."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from harness.layer import Array, Config, Mismatch, Observation
from suites.preprocessing.declaration import Check

BRIGHTEST = 255.0
FILL = 127.5
"""What is erased is filled with: no value of an image."""
MAX_Z = 5.0
"""Standard errors that a share may lie off; beyond is one sound layer in 1.7 million."""
ROUNDINGS = 16.0
"""Of a value, in units of the tolerance for a few."""


def one_of(
    outcomes: Callable[[Array, Config], Sequence[Array]],
    chance: Callable[[Config], float] = lambda c: 0.5,
    roundings: Callable[[Config], float] = lambda c: ROUNDINGS,
) -> Check:
    """Each image became one of its outcomes, and of two the second one with this chance.

    Args:
        outcomes: (images in float64, config) -> what they may have become, one or two of it.
        chance: config -> probability of the second outcome.
        roundings: config -> how far a value may be off, in units of the check's tolerance, as a
            share of the brightest.
    """

    def check(seen: Observation, c: Config, tolerance: float) -> float:
        expected = outcomes(seen.inputs["x"], c)
        errors = np.array([_error(seen.output, wanted) for wanted in expected])
        worst = float(errors.min(axis=0).max())
        if not worst <= tolerance * roundings(c):  # NaN is a mismatch too
            raise Mismatch(f"an image is none of its {len(expected)} outcomes: {worst:.2g} off")
        if len(expected) == 2:
            _is_likely(int(np.argmin(errors, axis=0).sum()), errors.shape[1], chance(c))
        return worst

    return check


def _error(output: Array, expected: Array) -> Array:
    """Of each image, the largest difference as a share of the brightest value."""
    if output.shape != expected.shape:
        raise Mismatch(f"output has shape {output.shape}, the formula {expected.shape}")
    errors: Array = np.abs(output - expected).max(axis=(1, 2, 3)) / BRIGHTEST
    return errors


def _is_likely(found: int, of: int, chance: float) -> None:
    if abs(found - of * chance) > MAX_Z * math.sqrt(of * chance * (1 - chance)):
        raise Mismatch(f"{found} of {of} images were changed where the chance is {chance}")


def bounded(seen: Observation, c: Config, tolerance: float) -> float:
    """All that can be told of what has too many outcomes: images are changed, and stay images."""
    x, y = seen.inputs["x"], seen.output
    if y.shape != x.shape:
        raise Mismatch(f"output has shape {y.shape}, its images {x.shape}")
    beyond = float(np.maximum(-y, y - BRIGHTEST).max()) / BRIGHTEST
    if not beyond <= tolerance * ROUNDINGS:
        raise Mismatch(f"values lie beyond 0 to 255, by {beyond:.2g} of it")
    if np.array_equal(x, y):
        raise Mismatch("no image was changed")
    return max(beyond, 0.0)


def cropped(seen: Observation, c: Config, tolerance: float) -> float:
    """All images became the same window of themselves."""
    x, y = seen.inputs["x"], seen.output
    places = range(c.size - c.target + 1)
    for row in places:
        for column in places:
            window = x[:, :, row : row + c.target, column : column + c.target]
            if np.array_equal(window[0, 0, 0], y[0, 0, 0]) and np.array_equal(window, y):
                return 0.0
    raise Mismatch("the output is no window of the images")


def erased(seen: Observation, c: Config, tolerance: float) -> float:
    """A rectangle of each image, of the share ``factor`` of it, was filled."""
    side = math.sqrt(c.factor) * c.size
    for image, result in zip(seen.inputs["x"], seen.output, strict=True):
        rows, columns = _box(image != result)
        sides = (rows.stop - rows.start, columns.stop - columns.start)
        if not (result[:, rows, columns] == FILL).all():
            raise Mismatch("what was erased is no rectangle of one colour")
        if any(abs(length - side) > 1 for length in sides):
            raise Mismatch(f"a rectangle of {sides} was erased, of sides of about {side:.1f}")
    return 0.0


def pasted(seen: Observation, c: Config, tolerance: float) -> float:
    """Each image has a rectangle from one of the batch, or none."""
    x, y = seen.inputs["x"], seen.output
    for image, result in zip(x, y, strict=True):
        changed = image != result
        if changed.any():
            rows, columns = _box(changed)
            if not (x[:, :, rows, columns] == result[:, rows, columns]).all(axis=(1, 2, 3)).any():
                raise Mismatch("what was pasted into an image is a rectangle of no other")
    return 0.0


def _box(changed: Array) -> tuple[slice, slice]:
    """Rows and columns that hold every change of an image, (channels, rows, columns)."""
    rows, columns = np.flatnonzero(changed.any((0, 2))), np.flatnonzero(changed.any((0, 1)))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def mixed(seen: Observation, c: Config, tolerance: float) -> float:
    """Each image is w of itself and 1 - w of one of the batch, for a w from 0 to 1."""
    x = seen.inputs["x"].reshape(len(seen.output), -1)
    y = seen.output.reshape(x.shape)
    worst = 0.0
    for image, result in zip(x, y, strict=True):
        errors = [_mixture_error(image, other, result) for other in x]
        worst = max(worst, min(errors))
    if not worst <= tolerance * ROUNDINGS:
        raise Mismatch(f"an image is a mixture of no two of the batch: {worst:.2g} off")
    return worst


def _mixture_error(image: Array, other: Array, result: Array) -> float:
    difference = image - other
    square = float(difference @ difference)
    weight = float((result - other) @ difference) / square if square else 1.0
    weight = min(max(weight, 0.0), 1.0)
    return float(np.abs(weight * image + (1 - weight) * other - result).max()) / BRIGHTEST
