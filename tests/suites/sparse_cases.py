"""Sparse attention of a fixed structure, in small and odd sizes, for `checked.found`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.layer import Layer
from harness.types import Case, Value
from suites.sparse_attention import blocks, windows

SHAPES = ((1, 1, 1), (1, 1, 37), (2, 3, 130), (2, 1, 201))
"""Batch, heads, length: not a multiple of any block, and longer than a chunk of a window."""

PARAMS: Mapping[str, tuple[Mapping[str, Value], ...]] = {
    "sliding_window_attention": ({"window": 0}, {"window": 5}, {"window": 300}),
    "dilated_attention": (
        {"window": 2, "dilation": 3},
        {"window": 7, "dilation": 1},
        {"window": 3, "dilation": 70},
    ),
    "strided_attention": ({"stride": 1}, {"stride": 9}, {"stride": 150}),
    "longformer_attention": (
        {"window": 4, "globals": 3},
        {"window": 0, "globals": 1},
        {"window": 9, "globals": 250},
    ),
    "block_sparse_attention": (
        {"block": 8, "blocks": 3},
        {"block": 16, "blocks": 1},
        {"block": 64, "blocks": 9},
    ),
    "bigbird_attention": (
        {"block": 8, "global_blocks": 1, "window_blocks": 3, "random_blocks": 2},
        {"block": 5, "global_blocks": 0, "window_blocks": 1, "random_blocks": 4},
        {"block": 64, "global_blocks": 2, "window_blocks": 3, "random_blocks": 3},
    ),
}
LAYERS: dict[str, Layer] = {
    layer.name: layer
    for module in (blocks, windows)
    for layer in vars(module).values()
    if isinstance(layer, Layer)
}
"""Those of a fixed structure."""


def cases(framework: str) -> Iterator[Case]:
    """Every layer with each of its parameters, causal and not, in each shape.

    TensorFlow, which takes ten times as long for them, has all shapes for the first parameters.
    """
    for name, sets in PARAMS.items():
        for params in sets:
            every = framework == "torch" or params is sets[0]
            for causal in (False, True):
                for shape in SHAPES if every else SHAPES[1:3]:
                    yield _case(name, framework, params, causal, shape)
        held = (sets[0], True, SHAPES[2])
        yield _case(name, framework, *held, mode="forward")
        yield _case(name, framework, *held, dtype="bfloat16")
        if framework == "tensorflow":
            yield _case(name, framework, *held, execution="compiled")


def _case(
    name: str,
    framework: str,
    params: Mapping[str, Value],
    causal: bool,
    shape: tuple[int, int, int],
    mode: str = "train",
    execution: str = "eager",
    dtype: str = "float32",
) -> Case:
    batch, heads, seq = shape
    given = {"heads": heads, "head_dim": 8, "causal": causal, **params}
    where = (name, framework, "cpu", mode, execution, dtype)
    return Case(*where, 1, batch, seq, tuple(given.items()))
