"""Sparse attention: each query against some of the keys, so that less work is done."""

from suites.sparse_attention.moba import MOBA_ATTENTION
from suites.sparse_attention.topk import TOPK_ATTENTION

__all__ = ["MOBA_ATTENTION", "TOPK_ATTENTION"]
