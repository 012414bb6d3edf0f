"""Sparse attention: each query against some of the keys, and only that much work.

The layers of a fixed structure are softmax(Q Kᵀ / sqrt(d_k)) V over the keys that `patterns` names,
and are computed as `plans` says: chunks of queries against the keys they need, never a matrix of
seq². Others choose their keys by what queries and keys hold, or leave it to FlexAttention.
"""

from suites.sparse_attention.blocks import BIGBIRD_ATTENTION, BLOCK_SPARSE_ATTENTION
from suites.sparse_attention.flex import (
    FLEX_BLOCK_SPARSE_ATTENTION,
    FLEX_DOCUMENT_ATTENTION,
    FLEX_WINDOW_ATTENTION,
)
from suites.sparse_attention.lsh import LSH_ATTENTION
from suites.sparse_attention.moba import MOBA_ATTENTION
from suites.sparse_attention.native_sparse import NATIVE_SPARSE_ATTENTION
from suites.sparse_attention.topk import TOPK_ATTENTION
from suites.sparse_attention.windows import (
    DILATED_ATTENTION,
    LONGFORMER_ATTENTION,
    SLIDING_WINDOW_ATTENTION,
    STRIDED_ATTENTION,
)

__all__ = [
    "BIGBIRD_ATTENTION",
    "BLOCK_SPARSE_ATTENTION",
    "DILATED_ATTENTION",
    "FLEX_BLOCK_SPARSE_ATTENTION",
    "FLEX_DOCUMENT_ATTENTION",
    "FLEX_WINDOW_ATTENTION",
    "LONGFORMER_ATTENTION",
    "LSH_ATTENTION",
    "MOBA_ATTENTION",
    "NATIVE_SPARSE_ATTENTION",
    "SLIDING_WINDOW_ATTENTION",
    "STRIDED_ATTENTION",
    "TOPK_ATTENTION",
]
