"""Transformers as torch ships them; Keras has their parts only."""

from suites.transformer.declarations import TRANSFORMERS

__all__ = ["TRANSFORMERS"]
