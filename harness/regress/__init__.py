"""Compares two versions of the code, or of the framework, by a duel on one machine."""

from harness.regress.gate import Asked, regress
from harness.regress.sides import WORKING_TREE, Given

__all__ = ["WORKING_TREE", "Asked", "Given", "regress"]
