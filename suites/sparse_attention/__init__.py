"""Sparse attention of a fixed structure: dense attention under a pattern, and only that much work.

Every layer is softmax(Q Kᵀ / sqrt(d_k)) V over the keys that `patterns` names, and is computed as
`plans` says: chunks of queries against the keys they need, never a matrix of seq².
"""

from suites.sparse_attention.blocks import BIGBIRD_ATTENTION, BLOCK_SPARSE_ATTENTION
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
    "LONGFORMER_ATTENTION",
    "SLIDING_WINDOW_ATTENTION",
    "STRIDED_ATTENTION",
]
