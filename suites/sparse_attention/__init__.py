"""Sparse attention: each query against some of the keys, so that less work is done."""

from suites.sparse_attention.flex import (
    FLEX_BLOCK_SPARSE_ATTENTION,
    FLEX_DOCUMENT_ATTENTION,
    FLEX_WINDOW_ATTENTION,
)
from suites.sparse_attention.lsh import LSH_ATTENTION
from suites.sparse_attention.moba import MOBA_ATTENTION
from suites.sparse_attention.native_sparse import NATIVE_SPARSE_ATTENTION
from suites.sparse_attention.topk import TOPK_ATTENTION

__all__ = [
    "FLEX_BLOCK_SPARSE_ATTENTION",
    "FLEX_DOCUMENT_ATTENTION",
    "FLEX_WINDOW_ATTENTION",
    "LSH_ATTENTION",
    "MOBA_ATTENTION",
    "NATIVE_SPARSE_ATTENTION",
    "TOPK_ATTENTION",
]
