"""What these layers stand in for: softmax attention over all keys that a query may see."""

from __future__ import annotations

from harness.layer import Array, Arrays, Config
from suites.attention.formula import attend, causal


def full_attention(inputs: Arrays, _weights: Arrays, c: Config) -> Array:
    """Causal if the layer is; layers without that parameter are not."""
    return attend(**inputs, pattern=causal(c.seq, c.seq) if c.params.get("causal") else None)


CHECK_LENGTH = 512
"""Full attention takes float64 NumPy too long beyond, and so do references that write out scores
or loop over time."""
