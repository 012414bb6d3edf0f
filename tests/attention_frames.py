"""Frames of attention over the length that follow simple laws, so that what they show is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from frames import frame, row

LENGTHS = (128, 256, 512, 1024, 2048, 4096, 8192, 16384)
SHAPE = {"heads": 8, "head_dim": 64, "causal": False}


@dataclass(frozen=True)
class Law:
    """How a variant grows with the length n: seconds and bytes are those of n = 1024 times a power.

    Attributes:
        share: of the scores that are computed at 1024; shrinks with n if it grows with less.
        longest: beyond it the case is out of memory, in training half of it.
    """

    layer: str
    family: str
    call_s: float
    seconds: float
    power: float
    mib: float
    memory_power: float
    share: float | None = 1.0
    error: float | None = None
    longest: int = 10**9
    extra: tuple[tuple[str, Any], ...] = ()

    def row(self, length: int, mode: str, wobble: float = 1.0, **changes: Any) -> dict[str, Any]:
        times = 3.0 if mode == "train" else 1.0
        grown = (length / 1024) ** self.power
        seconds = times * (self.call_s + self.seconds * grown) * wobble
        flops = times * 4 * 64 * 8 * length * min(1024 * (self.share or 1.0), length) * grown
        case = {
            "layer": self.layer,
            "family": self.family,
            "mode": mode,
            "batch": 1,
            "seq": length,
            "params": {**SHAPE, **dict(self.extra)},
        }
        if length > (self.longest if mode == "forward" else self.longest // 2):
            return row(**case, status="oom", reason="killed at the memory limit", **changes)
        share = self.share and min(1.0, self.share * (length / 1024) ** (self.power - 2))
        figures = {
            "latency_low_s": seconds * 0.95,
            "latency_high_s": seconds * 1.05,
            "peak_memory_bytes": times * 2**20 * self.mib * (length / 1024) ** self.memory_power,
            "flop_per_s": flops / seconds,
            "density": share,
            "approximation_error": self.error,
        }
        return row(seconds, **case, **figures, **changes)


PLAIN = Law("attention_plain", "attention", 1e-4, 0.030, 2, 68, 2, longest=8192)
FLASH = Law("sdpa_flash", "attention", 5e-5, 0.012, 2, 4.2, 1)
WINDOW = Law("sliding_window_attention", "sparse_attention", 4e-4, 0.010, 1, 11, 1, share=0.4,
             extra=(("window", 256),))  # fmt: skip
FEW = (PLAIN, FLASH, WINDOW)

MANY = (
    *FEW,
    Law("sdpa_math", "attention", 8e-5, 0.034, 2, 72, 2, longest=8192),
    Law("multi_query_attention", "attention", 6e-5, 0.0118, 2, 3.8, 1),
    Law("dilated_attention", "sparse_attention", 6e-4, 0.006, 1, 14, 1, share=0.2),
    Law("strided_attention", "sparse_attention", 8e-4, 0.011, 1.5, 18, 1.2, share=0.15),
    Law("longformer_attention", "sparse_attention", 9e-4, 0.012, 1, 16, 1, share=0.42),
    Law("block_sparse_attention", "sparse_attention", 5e-4, 0.0125, 1, 34, 1, share=0.5),
    Law("bigbird_attention", "sparse_attention", 7e-4, 0.0135, 1, 30, 1, share=0.5),
    Law("flex_window_attention", "sparse_attention", 3e-4, 0.0092, 1, 6, 1, share=0.4),
    Law("flex_block_sparse_attention", "sparse_attention", 3e-4, 0.0118, 1, 6.4, 1, share=0.5),
    Law("flex_document_attention", "sparse_attention", 3e-4, 0.0055, 1.4, 6.1, 1, share=0.25),
    Law("topk_attention", "sparse_attention", 2e-4, 0.09, 2, 140, 2, 0.06, 0.21, longest=4096),
    Law("lsh_attention", "sparse_attention", 2e-3, 0.0078, 1.1, 52, 1, share=0.25, error=0.62),
    Law("moba_attention", "sparse_attention", 1.5e-3, 0.022, 1.25, 40, 1, share=0.38, error=0.35),
    Law("native_sparse_attention", "sparse_attention", 3e-3, 0.03, 1.3, 60, 1.1, 0.4, 0.44),
    Law("linformer_attention", "linear_attention", 2e-4, 0.0062, 1, 9, 1, None, 0.88),
    Law("linear_attention", "linear_attention", 1.5e-4, 0.0021, 1, 8.2, 1, None, 0.97),
    Law("performer_attention", "linear_attention", 6e-4, 0.0075, 1, 25, 1, None, 0.55),
    Law("nystromformer_attention", "linear_attention", 2.2e-3, 0.0041, 1, 12, 1, None, 0.74),
    Law("retention", "linear_attention", 4e-4, 0.008, 1, 10, 1, None),
    Law("selective_state_space", "linear_attention", 5e-4, 0.05, 1, 44, 1, None),
)


def rows(
    laws: Sequence[Law] = FEW,
    lengths: Iterable[int] = LENGTHS,
    modes: Sequence[str] = ("forward",),
    noise: float = 0.0,
    **changes: Any,
) -> list[dict[str, Any]]:
    """A row a law, mode and length."""
    random = np.random.default_rng(3)
    return [
        law.row(length, mode, float(random.lognormal(0, noise)) if noise else 1.0, **changes)
        for law in laws
        for mode in modes
        for length in lengths
    ]


def attention_frame(**changes: Any) -> pd.DataFrame:
    """`rows` as a frame."""
    return frame(rows(**changes))
