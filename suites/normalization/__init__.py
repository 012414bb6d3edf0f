"""Normalization layers: over the batch, over groups of channels, over features, over neighbours."""

from suites.normalization.affine import EPSILON
from suites.normalization.batch import BATCH_NORM, MORE_BATCH_NORMS
from suites.normalization.groups import GROUP_NORMS
from suites.normalization.last_axis import LAST_AXIS_NORMS
from suites.normalization.response import RESPONSE_NORMS
from suites.normalization.spectral import SPECTRAL_NORMALIZATION

__all__ = [
    "BATCH_NORM",
    "EPSILON",
    "GROUP_NORMS",
    "LAST_AXIS_NORMS",
    "MORE_BATCH_NORMS",
    "RESPONSE_NORMS",
    "SPECTRAL_NORMALIZATION",
]
