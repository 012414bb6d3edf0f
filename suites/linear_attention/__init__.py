"""Layers whose work grows with the length and not with its square.

The first four approximate softmax attention; how far off they are is a figure of their rows.
Retention and the selective state space are recurrences in their own right.
"""

from suites.linear_attention.linear import LINEAR_ATTENTION
from suites.linear_attention.linformer import LINFORMER_ATTENTION
from suites.linear_attention.nystromformer import NYSTROMFORMER_ATTENTION
from suites.linear_attention.performer import PERFORMER_ATTENTION
from suites.linear_attention.retention import RETENTION
from suites.linear_attention.state_space import SELECTIVE_STATE_SPACE

__all__ = [
    "LINEAR_ATTENTION",
    "LINFORMER_ATTENTION",
    "NYSTROMFORMER_ATTENTION",
    "PERFORMER_ATTENTION",
    "RETENTION",
    "SELECTIVE_STATE_SPACE",
]
