"""Attention that selects its keys, in small and odd sizes, for `checked.found`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.layer import Layer
from harness.types import Case, Value
from suites.sparse_attention import (
    LSH_ATTENTION,
    MOBA_ATTENTION,
    NATIVE_SPARSE_ATTENTION,
    TOPK_ATTENTION,
)

OWN: Mapping[str, Mapping[str, Value]] = {
    "topk_attention": {"k": 5},
    "lsh_attention": {"buckets": 4, "rounds": 2, "chunk": 8},
    "moba_attention": {"block": 8, "k": 3},
    "native_sparse_attention": {"block": 8, "k": 3, "window": 5},
}
SELECTED = (TOPK_ATTENTION, LSH_ATTENTION, MOBA_ATTENTION, NATIVE_SPARSE_ATTENTION)
SIZES = ((1, 1, 1), (1, 2, 7), (2, 3, 61))
"""(batch, heads, seq): shorter than a block, and with a last block that is shorter."""
WHOLE_BLOCKS = (1, 1, 40)


def cases(framework: str) -> Iterator[Case]:
    """All sizes with gradients, causal and not; then each once in bfloat16, and in whole blocks."""
    execution = "compiled-xla" if framework == "tensorflow" else "eager"

    def case(
        layer: Layer,
        causal: bool,
        sizes: tuple[int, int, int],
        execution: str = "eager",
        dtype: str = "float32",
        mode: str = "train",
    ) -> Case:
        batch, heads, seq = sizes
        params = {"heads": heads, "head_dim": 8, "causal": causal, **OWN[layer.name]}
        where = (layer.name, framework, "cpu", mode, execution, dtype)
        return Case(*where, 1, batch, seq, tuple(params.items()))

    for layer in SELECTED:
        for causal in (False, True):
            for sizes in SIZES:
                yield case(layer, causal, sizes)
        yield case(layer, True, SIZES[-1], dtype="bfloat16")
        yield case(layer, True, WHOLE_BLOCKS, execution=execution, mode="forward")
