"""Convolutions of one to three axes of space: plain, transposed, depthwise and separable."""

from suites.convolution.depthwise import DEPTHWISE
from suites.convolution.plain import CONV2D, CONVOLUTIONS
from suites.convolution.separable import SEPARABLE
from suites.convolution.transposed import TRANSPOSED

__all__ = ["CONV2D", "CONVOLUTIONS", "DEPTHWISE", "SEPARABLE", "TRANSPOSED"]
