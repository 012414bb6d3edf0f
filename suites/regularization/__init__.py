"""Regularization: layers that drop or disturb values at random, and one that adds to the loss."""

from suites.regularization.dropout import DROPOUT, OF_CHANNELS, OF_VALUES
from suites.regularization.noise import ACTIVITY_REGULARIZATION, GAUSSIAN_DROPOUT, GAUSSIAN_NOISE

__all__ = [
    "ACTIVITY_REGULARIZATION",
    "DROPOUT",
    "GAUSSIAN_DROPOUT",
    "GAUSSIAN_NOISE",
    "OF_CHANNELS",
    "OF_VALUES",
]
