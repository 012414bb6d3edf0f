"""Dense attention in small and odd sizes, for `checked.found`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness import frameworks
from harness.layer import Layer
from harness.types import Case, Value
from suites.attention import (
    ADDITIVE_ATTENTION,
    ATTENTION_PLAIN,
    CROSS_ATTENTION,
    DECODE_ATTENTION,
    GROUP_QUERY_ATTENTION_LAYER,
    GROUPED_QUERY_ATTENTION,
    MULTI_QUERY_ATTENTION,
    SDPA_CUDNN,
    SDPA_EFFICIENT,
    SDPA_FLASH,
    SDPA_MATH,
)

MASKED = (ATTENTION_PLAIN, SDPA_MATH, SDPA_FLASH, SDPA_EFFICIENT, SDPA_CUDNN)
"""Those that know padding."""
GROUPED = (GROUPED_QUERY_ATTENTION, GROUP_QUERY_ATTENTION_LAYER)
DENSE = (
    *MASKED,
    *GROUPED,
    MULTI_QUERY_ATTENTION,
    ADDITIVE_ATTENTION,
    CROSS_ATTENTION,
    DECODE_ATTENTION,
)

ONE_HEAD: Mapping[str, Value] = {"heads": 1, "head_dim": 5}
HEADS: Mapping[str, Value] = {"heads": 4, "head_dim": 8}


def parameters(layer: Layer) -> Iterator[dict[str, Value]]:
    """One head and several, causal and not, with padding and without, and heads in groups."""
    for heads in (ONE_HEAD, HEADS):
        for causal in (False, True):
            if layer in MASKED:
                for padding in (0.0, 0.3):
                    yield {**heads, "causal": causal, "padding": padding}
            elif layer in GROUPED:
                for kv_heads in {1, int(heads["heads"]) // 2 or 1}:
                    yield {**heads, "kv_heads": kv_heads, "causal": causal}
            elif layer in (CROSS_ATTENTION, DECODE_ATTENTION):
                if not causal:
                    yield {**heads, "memory": 9} if layer is CROSS_ATTENTION else {**heads}
            else:
                yield {**heads, "causal": causal}


def cases(framework: str) -> Iterator[Case]:
    """Odd sizes, forward and with gradients; then each layer once in bfloat16 and compiled."""

    def case(
        layer: Layer,
        params: Mapping[str, Value],
        sizes: tuple[int, int],
        execution: str = "eager",
        dtype: str = "float32",
    ) -> Case:
        mode = "forward" if layer is DECODE_ATTENTION else "train"
        where = (layer.name, framework, "cpu", mode, execution, dtype)
        return Case(*where, 1, *sizes, tuple(params.items()))

    for layer in DENSE:
        if frameworks.get(framework).builder in layer.lacking:
            continue
        *_, last = varied = list(parameters(layer))
        for params in varied:
            yield case(layer, params, (1, 7) if params["heads"] == 1 else (3, 33))
        yield case(layer, last, (1, 1))
        yield case(layer, last, (2, 17), dtype="bfloat16")
        if framework == "tensorflow":
            yield case(layer, last, (2, 17), execution="compiled-xla")
