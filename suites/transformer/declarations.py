"""The transformer layers of torch: a block of either kind, a stack of them, and both stacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, normal
from harness.types import Value
from suites._lacking import NO_KERAS
from suites.attention.formula import CHECK_LENGTH
from suites.attention.masked import TorchMask
from suites.attention.projections import sequence, width
from suites.normalization.affine import EPSILON
from suites.transformer import blocks
from suites.transformer.blocks import DECODER, ENCODER, Counts

BLOCK_PRESETS: Mapping[str, Mapping[str, Value]] = {
    "textbook": {"heads": 2, "head_dim": 16, "feedforward": 64},
    # The base model of the paper.
    "transformer_base": {"heads": 8, "head_dim": 64, "feedforward": 2048},
}
_TEXTBOOK_STACK = {**BLOCK_PRESETS["textbook"], "layers": 2}
# As wide and deep as two of the small models of Turc et al. (2019), arXiv:1908.08962.
STACK_PRESETS: Mapping[str, Mapping[str, Value]] = {
    "textbook": _TEXTBOOK_STACK,
    "bert_mini": {"heads": 4, "head_dim": 64, "feedforward": 1024, "layers": 4},
}
BOTH_PRESETS: Mapping[str, Mapping[str, Value]] = {
    "textbook": _TEXTBOOK_STACK,
    "bert_tiny": {"heads": 2, "head_dim": 64, "feedforward": 512, "layers": 2},
}


def _torch_options(c: Config) -> dict[str, Any]:
    return {
        "dim_feedforward": c.feedforward,
        "dropout": 0.0,  # a random output could be held against no formula
        "layer_norm_eps": EPSILON,
        "batch_first": True,
    }


def _torch_block(kind: str) -> Callable[[Config], Any]:
    def build(c: Config) -> Any:
        from torch import nn

        block = nn.TransformerEncoderLayer if kind == ENCODER else nn.TransformerDecoderLayer
        return block(width(c), c.heads, **_torch_options(c))

    return build


def _torch_stack(kind: str) -> Callable[[Config], Any]:
    def build(c: Config) -> Any:
        from torch import nn

        stack = nn.TransformerEncoder if kind == ENCODER else nn.TransformerDecoder
        return stack(_torch_block(kind)(c), c.layers)

    return build


def _torch_both(c: Config) -> Any:
    from torch import nn

    return nn.Transformer(width(c), c.heads, c.layers, c.layers, **_torch_options(c))


def _decoding(build: Callable[[Config], Any]) -> Callable[[Config], Any]:
    """And the mask that a decoder is called with, which is no weight of the module."""

    def masked(c: Config) -> Any:
        module = build(c)
        module.later = TorchMask(~blocks.earlier(c))
        return module

    return masked


def _decode(module: Any, _c: Config, first: Any, second: Any) -> Any:
    """Torch wants the mask even where it is told that it is the causal one."""
    return module(first, second, tgt_mask=module.later.beside(first), tgt_is_causal=True)


def _declare(
    name: str,
    covers: str,
    formula: str,
    inputs: Sequence[str],
    presets: Mapping[str, Mapping[str, Value]],
    counts: Callable[[Config], Counts],
    builder: Builder,
    place: str,
    last_norms: bool = False,
) -> Layer:
    """Blocks of an encoder, of a decoder, or of both, where the decoder reads the encoder.

    Args:
        name: of the layer.
        covers: the name of torch's class.
        formula: what it computes.
        inputs: ``source`` of an encoder; ``target`` of a decoder, and ``memory`` if there is none.
        presets: see `Layer`.
        counts: config -> its blocks.
        builder: of torch, but for the weights.
        place: where in the module a block's weights are, with its kind and number.
        last_norms: whether what comes of the last block of a kind is normalized once more.
    """

    def weights(c: Config) -> dict[str, Tensor]:
        drawn: dict[str, Tensor] = {}
        for kind, count in counts(c).items():
            drawn |= blocks.weights(kind, count, c)
            if last_norms:
                drawn[f"last_{kind}_gamma"] = normal(width(c), mean=1.0, std=0.1)
                drawn[f"last_{kind}_beta"] = normal(width(c), std=0.1)
        return drawn

    def through(kind: str, x: Array, memory: Array | None, own: Arrays, c: Config) -> Array:
        for of_block in blocks.each(kind, own):
            x = blocks.block(x, memory, of_block, c)
        if not last_norms:
            return x
        return blocks.normalized(x, own[f"last_{kind}_gamma"], own[f"last_{kind}_beta"])

    def reference(given: Arrays, own: Arrays, c: Config) -> Array:
        memory = given.get("memory")
        if memory is None:
            memory = through(ENCODER, given["source"], None, own, c)
        return through(DECODER, given["target"], memory, own, c) if "target" in given else memory

    def torch_weights(own: Arrays, c: Config) -> Arrays:
        named: dict[str, Array] = {}
        for kind in counts(c):
            for number, of_block in enumerate(blocks.each(kind, own)):
                at = place.format(kind=kind, number=number)
                placed = blocks.torch_weights(kind, of_block)
                named |= {at + key: values for key, values in placed.items()}
            if last_norms:
                named[f"{kind}.norm.weight"] = own[f"last_{kind}_gamma"]
                named[f"{kind}.norm.bias"] = own[f"last_{kind}_beta"]
        return named

    def flops(c: Config) -> int:
        norms = last_norms * len(counts(c)) * blocks.NORM * int(c.batch * c.seq) * width(c)
        return norms + sum(n * blocks.flops(kind, c) for kind, n in counts(c).items())

    return Layer(
        name=name,
        family="transformer",
        formula=formula,
        presets=presets,
        inputs=lambda c: {name: normal(*sequence(c)) for name in inputs},
        weights=weights,
        output=sequence,
        reference=reference,
        flops=flops,
        products=lambda c: sum(n * blocks.products(kind, c) for kind, n in counts(c).items()),
        builders={"torch": replace(builder, weights=torch_weights, covers=(f"torch.nn.{covers}",))},
        lacking=NO_KERAS,
        has_seq=True,
        check_length=CHECK_LENGTH,
        density=lambda c: blocks.density(counts(c), c),
        complexity="O(layers · seq · heads · head_dim · (seq + heads · head_dim + feedforward))",
        source="Vaswani et al. (2017), arXiv:1706.03762, section 3",
    )


_ENCODES = (
    "x = norm(x + attend(x, x)), y = norm(x + W_2 relu(W_1 x + b_1) + b_2), with attend as "
    "multi_head_attention and norm as layer_norm"
)
_DECODES = (
    "x = norm(x + attend(x, x)) without later positions, x = norm(x + attend(x, memory)), "
    "y = norm(x + W_2 relu(W_1 x + b_1) + b_2), with attend as multi_head_attention and norm as "
    "layer_norm"
)

TRANSFORMERS = (
    _declare(
        "transformer_encoder_layer",
        "TransformerEncoderLayer",
        _ENCODES,
        ["source"],
        BLOCK_PRESETS,
        lambda c: {ENCODER: 1},
        Builder(_torch_block(ENCODER)),
        place="",
    ),
    _declare(
        "transformer_decoder_layer",
        "TransformerDecoderLayer",
        _DECODES,
        ["target", "memory"],
        BLOCK_PRESETS,
        lambda c: {DECODER: 1},
        Builder(_decoding(_torch_block(DECODER)), call=_decode),
        place="",
    ),
    _declare(
        "transformer_encoder",
        "TransformerEncoder",
        f"{_ENCODES}; so many layers, one after the other",
        ["source"],
        STACK_PRESETS,
        lambda c: {ENCODER: c.layers},
        Builder(_torch_stack(ENCODER)),
        place="layers.{number}.",
    ),
    _declare(
        "transformer_decoder",
        "TransformerDecoder",
        f"{_DECODES}; so many layers, one after the other",
        ["target", "memory"],
        STACK_PRESETS,
        lambda c: {DECODER: c.layers},
        Builder(_decoding(_torch_stack(DECODER)), call=_decode),
        place="layers.{number}.",
    ),
    _declare(
        "transformer",
        "Transformer",
        "transformer_decoder of the target, with transformer_encoder of the source for its memory; "
        "a layer_norm after each, which the paper does not have",
        ["source", "target"],
        BOTH_PRESETS,
        lambda c: {ENCODER: c.layers, DECODER: c.layers},
        Builder(_decoding(_torch_both), call=_decode),
        place="{kind}.layers.{number}.",
        last_norms=True,
    ),
)
