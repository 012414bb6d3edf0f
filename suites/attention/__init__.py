"""Dense attention: every query against every key that it may see."""

from suites.attention.classic import ATTENTION, ATTENTION_PROJECTED, MULTI_HEAD_ATTENTION

__all__ = ["ATTENTION", "ATTENTION_PROJECTED", "MULTI_HEAD_ATTENTION"]
