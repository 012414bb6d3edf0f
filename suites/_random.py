"""How a layer with random output is checked: what it drew is held against its distribution."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.layer import Array, Mismatch

MAX_Z = 5.0
"""Standard errors that a share may lie off; beyond is one sound layer in 1.7 million."""
MAX_K = 2.8
"""Kolmogorov's statistic √n D; beyond is one sound layer in 3 million, 2 exp(-2 k²)."""


def relative_error(actual: Array, expected: Array) -> float:
    """Largest difference, as a fraction of the largest expected value; 0 of nothing."""
    if not expected.size:
        return 0.0
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


def hold(what: str, actual: Array, expected: Array, tolerance: float) -> float:
    """The relative error, if it is within the tolerance.

    Raises:
        Mismatch: it is not; `what` begins the sentence that says so.
    """
    error = relative_error(actual, expected)
    if not error <= tolerance:  # NaN is a mismatch too
        raise Mismatch(f"{what}: relative error {error:.2g}", error)
    return error


def hold_share(what: str, dropped: int, drawn: int, p: float) -> None:
    """Holds how many of `what` were dropped against a binomial distribution.

    Raises:
        Mismatch: it is too far off.
    """
    if abs(dropped - drawn * p) > MAX_Z * (drawn * p * (1 - p)) ** 0.5:
        raise Mismatch(f"drops {dropped / drawn:.4f} of {drawn} {what} where p is {p}")


def hold_distribution(
    what: str, drawn: Array, cdf: Callable[[Array], Array], tolerance: float
) -> None:
    """Kolmogorov's test of what was drawn, against a cumulative distribution function.

    Args:
        what: was drawn; begins the sentence that says so.
        drawn: independent values.
        cdf: of the distribution that they should be from.
        tolerance: what rounding may add to a share.

    Raises:
        Mismatch: they are not from it.
    """
    n = drawn.size
    expected = cdf(np.sort(drawn, axis=None))
    distance = np.max(np.abs(expected - (np.arange(n) + 0.5) / n), initial=0.0)
    if not distance <= MAX_K / max(n, 1) ** 0.5 + tolerance:
        raise Mismatch(f"{what} are not distributed as declared: shares are {distance:.2g} off")
