"""Dense attention: every query against every key that it may see."""

from suites.attention.classic import ATTENTION, ATTENTION_PROJECTED, MULTI_HEAD_ATTENTION
from suites.attention.plain import ATTENTION_PLAIN
from suites.attention.sdpa import SDPA_CUDNN, SDPA_EFFICIENT, SDPA_FLASH, SDPA_MATH

__all__ = [
    "ATTENTION",
    "ATTENTION_PLAIN",
    "ATTENTION_PROJECTED",
    "MULTI_HEAD_ATTENTION",
    "SDPA_CUDNN",
    "SDPA_EFFICIENT",
    "SDPA_FLASH",
    "SDPA_MATH",
]
