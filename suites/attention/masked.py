"""Attention that may be causal and may have padding: what hides a score, and how it is counted.

Layers that have no parameter ``padding`` have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.checks import Allowed
from harness.layer import Array, Arrays, Builder, Config, Layer
from harness.types import Value
from suites.attention.formula import (
    CHECK_LENGTH,
    attend,
    causal,
    heads_apart,
    queries_keys_values,
    score_flops,
    score_products,
)

PRESETS: Mapping[str, Mapping[str, Value]] = {
    "textbook": {"heads": 2, "head_dim": 16, "causal": False, "padding": 0.0},
    "bert_like": {"heads": 8, "head_dim": 64, "causal": False, "padding": 0.0},
    "bert_like_padded": {"heads": 8, "head_dim": 64, "causal": False, "padding": 0.25},
    "gpt_like": {"heads": 8, "head_dim": 64, "causal": True, "padding": 0.0},
}


def real_keys(c: Config) -> int:
    """Keys of a sequence that are no padding; at least one."""
    return int(c.seq) - int(c.seq * float(c.params.get("padding", 0.0)))


def pattern(c: Config) -> Array:
    """Which keys each query attends to, booleans of (queries, keys)."""
    earlier = causal(c.seq, c.seq) if c.causal else np.ones((c.seq, c.seq), dtype=bool)
    return earlier & (np.arange(c.seq) < real_keys(c))


def padding_mask(c: Config) -> Array | None:
    """Which keys are no padding, booleans of (batch, 1, 1, keys); None if none is."""
    if real_keys(c) == c.seq:
        return None
    return np.broadcast_to(np.arange(c.seq) < real_keys(c), (c.batch, 1, 1, c.seq)).copy()


def mask(c: Config) -> Array | None:
    """Which scores count, booleans that go with (batch, heads, queries, keys); None if all do."""
    no_padding = padding_mask(c)
    if not c.causal:
        return no_padding
    earlier = causal(c.seq, c.seq)[None, None]
    return earlier if no_padding is None else earlier & no_padding


def scores(c: Config) -> int:
    """How many scores of one head of one sequence count."""
    keys = real_keys(c)
    if not c.causal:
        return int(c.seq * keys)
    return keys * (keys + 1) // 2 + (c.seq - keys) * keys


def all_scores(c: Config) -> int:
    """How many count in the whole batch."""
    return int(c.batch * c.heads) * scores(c)


def density(c: Config) -> float:
    """Share of the seq² scores that count."""
    return float(scores(c) / c.seq**2)


class TorchMask:
    """A mask on whichever device asks for it; no module's weight, so nothing else moves it."""

    def __init__(self, mask: Array | None) -> None:
        """`mask` holds booleans, or is None where nothing is masked."""
        import torch

        self._mask: Any = None if mask is None else torch.from_numpy(mask)

    def beside(self, tensor: Any) -> Any:
        """The mask on the tensor's device, or None."""
        if self._mask is not None and self._mask.device != tensor.device:
            self._mask = self._mask.to(tensor.device)
        return self._mask


def _reference(inputs: Arrays, weights: Arrays, c: Config) -> Array:
    return attend(**inputs, pattern=pattern(c))


def declare(
    name: str,
    how: str,
    builders: Mapping[str, Builder],
    source: str,
    lacking: Mapping[str, str] | None = None,
) -> Layer:
    """Self-attention of the given heads, causal or not, with or without padding.

    Args:
        name: of the layer.
        how: in which way it is computed, as the end of the formula.
        builders: by framework family.
        source: of that way.
        lacking: see `Layer`.
    """
    return Layer(
        name=name,
        family="attention",
        formula=f"y = softmax(Q K^T / sqrt(d_k)) V, without padding's and later keys; {how}",
        presets=PRESETS,
        inputs=queries_keys_values,
        output=heads_apart,
        reference=_reference,
        flops=lambda c: score_flops(c, all_scores(c)),
        products=lambda c: score_products(c, all_scores(c)),
        builders=builders,
        lacking=lacking or {},
        has_seq=True,
        complexity="O(seq² · heads · head_dim)",
        allowed={"padding": Allowed(least=0, below=1)},  # a share of the keys, not all
        check_length=CHECK_LENGTH,
        pattern=pattern,
        density=density,
        source=source,
    )
