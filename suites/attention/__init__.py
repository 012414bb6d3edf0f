"""Dense attention: every query against every key that it may see."""

from suites.attention.additive import ADDITIVE_ATTENTION
from suites.attention.classic import ATTENTION, ATTENTION_PROJECTED, MULTI_HEAD_ATTENTION
from suites.attention.crossing import CROSS_ATTENTION, DECODE_ATTENTION
from suites.attention.grouped import (
    GROUP_QUERY_ATTENTION_LAYER,
    GROUPED_QUERY_ATTENTION,
    MULTI_QUERY_ATTENTION,
)
from suites.attention.plain import ATTENTION_PLAIN
from suites.attention.sdpa import SDPA_CUDNN, SDPA_EFFICIENT, SDPA_FLASH, SDPA_MATH

__all__ = [
    "ADDITIVE_ATTENTION",
    "ATTENTION",
    "ATTENTION_PLAIN",
    "ATTENTION_PROJECTED",
    "CROSS_ATTENTION",
    "DECODE_ATTENTION",
    "GROUPED_QUERY_ATTENTION",
    "GROUP_QUERY_ATTENTION_LAYER",
    "MULTI_HEAD_ATTENTION",
    "MULTI_QUERY_ATTENTION",
    "SDPA_CUDNN",
    "SDPA_EFFICIENT",
    "SDPA_FLASH",
    "SDPA_MATH",
]
