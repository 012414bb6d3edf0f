"""Activations: of one value at a time, along an axis, with weights, gates or random slopes."""

from suites.activation.elementwise import ELEMENTWISE
from suites.activation.normalized import OF_ROWS, SOFTMAX2D
from suites.activation.parametric import GELU, GLU, PRELU, RRELU

__all__ = ["ELEMENTWISE", "GELU", "GLU", "OF_ROWS", "PRELU", "RRELU", "SOFTMAX2D"]
