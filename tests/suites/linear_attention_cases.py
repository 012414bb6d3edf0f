"""The sub-quadratic layers in small and awkward sizes, for `checked.found`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.layer import Layer
from harness.types import Case, Value
from suites.linear_attention import (
    LINEAR_ATTENTION,
    LINFORMER_ATTENTION,
    NYSTROMFORMER_ATTENTION,
    PERFORMER_ATTENTION,
    RETENTION,
    SELECTIVE_STATE_SPACE,
)

HEADS: Mapping[str, Value] = {"heads": 2, "head_dim": 4}
ONE: Mapping[str, Value] = {"heads": 1, "head_dim": 4}
_CASES: tuple[tuple[Layer, Mapping[str, Value], int, int], ...] = (
    # Layer, parameters, batch, seq: of several chunks, odd, of one chunk, of one position.
    (LINFORMER_ATTENTION, {**HEADS, "rank": 3}, 2, 10),
    (LINFORMER_ATTENTION, {**ONE, "rank": 8}, 1, 5),  # more rows than positions
    *(
        (layer, {**heads, **features, "causal": causal}, batch, seq)
        for layer, features in ((LINEAR_ATTENTION, {}), (PERFORMER_ATTENTION, {"features": 6}))
        for causal in (False, True)
        for heads, batch, seq in ((HEADS, 2, 261), (ONE, 1, 256), (HEADS, 1, 7), (ONE, 1, 1))
    ),
    (NYSTROMFORMER_ATTENTION, {**HEADS, "landmarks": 4}, 2, 12),
    (NYSTROMFORMER_ATTENTION, {**HEADS, "landmarks": 4}, 1, 15),  # no multiple
    (NYSTROMFORMER_ATTENTION, {**ONE, "landmarks": 8}, 1, 5),  # more than positions
    (RETENTION, {**HEADS, "chunk": 4}, 2, 13),
    (RETENTION, {**HEADS, "chunk": 4}, 1, 16),
    (RETENTION, {**ONE, "chunk": 64}, 1, 9),  # longer than the sequence
    (RETENTION, {**ONE, "chunk": 1}, 1, 3),
    (SELECTIVE_STATE_SPACE, {**HEADS, "state": 3}, 2, 261),
    (SELECTIVE_STATE_SPACE, {**HEADS, "state": 3}, 1, 13),
    (SELECTIVE_STATE_SPACE, {**ONE, "state": 1}, 1, 1),
)


_LONG = {"heads": 1, "head_dim": 64, "causal": False}
"""In float16 the sum of this layer's features over 1,000 positions would be infinite."""
LAYERS = {layer.name: layer for layer, *_ in _CASES}
_NARROW = (
    *((layer, params, 2, 40) for layer, params in {c[0].name: c[:2] for c in _CASES}.values()),
    (LINEAR_ATTENTION, _LONG, 1, 1000),
)


def cases(framework: str) -> Iterator[Case]:
    """Each in training, where output and gradients are checked; then once in each narrow dtype."""
    where = (framework, "cpu", "train", "eager")
    for layer, params, batch, seq in _CASES:
        yield Case(layer.name, *where, "float32", 1, batch, seq, tuple(params.items()))
    for layer, params, batch, seq in _NARROW:
        for dtype in ("bfloat16", "float16"):
            yield Case(layer.name, *where, dtype, 1, batch, seq, tuple(params.items()))
