"""Upsampling, and layers that move elements between channels and space."""

from suites.upsampling.interpolation import UPSAMPLED
from suites.upsampling.shuffling import SHUFFLED

__all__ = ["SHUFFLED", "UPSAMPLED"]
