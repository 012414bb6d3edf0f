"""Is the declared work what independent counters see?

Three counts, of every layer of the catalogue:

* torch's `FlopCounterMode`, on the meta device, in every preset, forward and with backward. On the
  CPU it gives 0 for fused attention and LSTM; on the meta device they come as products. It counts
  products only, so what is declared has to be its count plus the elementwise operations, which
  are counted by hand here (`ELEMENTWISE`), after the convention in suites/__init__.py. A backward
  pass has two products for each one forward, and so it has to count three times the forward, less
  what a layer declares that its backward pass is spared.
* XLA: the products in the module that TensorFlow hands to XLA, read from its text. A loop's body
  counts once a step; what stands beside the loop is Keras tracing one step for its shapes, which
  XLA removes. Its own cost analysis is not offered by TensorFlow.
* Bytes: the tensors that a call in torch reads and writes, against the declared traffic, where
  that is not the layer's own.

Layers that tell which share of the scores they compute are counted in a long sequence. What they
declare is the useful work, and a counter sees more: a dense kernel computes the scores that its
mask hides, and sparse attention those at the edges of its chunks and blocks. So the count lies
between what is declared and a bound that the row names (`allowed`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple
from typing import Any

import numpy as np

from harness import catalogue, frameworks
from harness.layer import Array, Config, Layer
from harness.problem import Problem
from harness.types import Case
from harness.verify import bench
from harness.verify.row import Row, Verdict, judged, skipped

BATCH, SEQ = 4, 8
LONG_SEQ = 1024
"""Of attention with a density: long enough for windows and blocks to be a small share."""
SPARSE = "sparse_attention"
EDGES = 2.5
"""The most that sparse attention computes, in units of what it declares."""


def _scores(c: Config) -> int:
    return int(c.batch * c.heads * c.seq**2)


ELEMENTWISE: Mapping[str, Callable[[Config], int]] = {
    "dense": lambda c: c.batch * c.out_features * (c.activation != "linear"),
    "attention": lambda c: 4 * _scores(c),  # scale, exp, sum, division
    "attention_projected": lambda c: 4 * _scores(c),
    "multi_head_attention": lambda c: 4 * _scores(c),
    "dropout": lambda c: 2 * c.batch * c.features,  # mask, scale
}
"""Operations of a forward call that are no products, by hand."""


def rows() -> Iterator[Row]:
    """By layer: FLOPs by torch and by XLA, then bytes."""
    for framework, function in (("torch", "count_torch"), ("tensorflow", "count_xla")):
        if not bench.installed([framework]):
            yield skipped(f"work by {framework}", "", f"{framework} is not installed")
            continue
        environment = frameworks.get(framework).environment(1, "latency")
        for check, expected, found, verdict in bench.alone(
            __name__, function, environment=environment
        ):
            yield Row(check, expected, found, Verdict(verdict))


def compared(check: str, declared: int, counted: int, most: int = 0, why: str = "") -> Row:
    """Counts are whole numbers, and have to be the same, or up to `most`, which says `why`."""
    if most <= declared:
        return judged(check, f"{declared:,}", f"{counted:,}", declared == counted)
    expected = f"{declared:,} to {most:,} ({why})"
    return judged(check, expected, f"{counted:,}", declared <= counted <= most)


def allowed(layer: Layer, config: Config, declared: int) -> tuple[int, str]:
    """The most that may be counted where so much is declared, and what that is."""
    if layer.density is None:
        return declared, ""
    if layer.family == SPARSE:
        return int(EDGES * declared), f"{EDGES} times, for edges"
    return round(declared / layer.density(config)), "hidden scores too"


def products(layer: Layer, config: Config) -> int:
    """What is left of the declared work without the elementwise operations.

    A layer that tells of no products, and has no count by hand, has none: a counter must find none.
    """
    if layer.products is not None:
        return int(layer.products(config))
    if layer.name not in ELEMENTWISE:
        return 0
    return int(layer.flops(config)) - ELEMENTWISE[layer.name](config)


def _configs(layer: Layer, training: bool) -> Iterator[tuple[str, Config]]:
    batch, seq = (BATCH, SEQ) if layer.density is None else (1, LONG_SEQ)
    presets = list(layer.presets.items())
    # The windows and blocks of the first preset are smaller than what is computed at once.
    for preset, params in presets[1:] if layer.family == SPARSE else presets:
        yield preset, Config(batch, seq if layer.has_seq else None, training, params)


def count_torch() -> Iterator[tuple[str, str, str, str]]:
    """The fields of each row, in a process of its own; see `bench.alone`."""
    for layer in catalogue.load().values():
        for mode in ("forward", "train"):
            for preset, config in _configs(layer, mode == "train"):
                check = f"products, {layer.name} {preset}, {mode}, torch"
                if reason := _lacks(layer, "torch", config):
                    yield astuple(skipped(check, "", reason))
                else:
                    yield from map(astuple, _rows_of_torch(layer, preset, config, mode))


def _lacks(layer: Layer, builder: str, config: Config) -> str:
    """Why there is nothing to count; empty if there is."""
    if builder not in layer.builders:
        return layer.lacking.get(builder, "")
    return layer.builders[builder].unsupported(config)


def _rows_of_torch(layer: Layer, preset: str, config: Config, mode: str) -> Iterator[Row]:
    check = f"products, {layer.name} {preset}, {mode}, torch"
    try:
        flops, moved = _on_meta(layer, config)
    except RuntimeError as error:
        asks_for_a_value = "cannot be called on meta tensors" in str(error)
        if not isinstance(error, NotImplementedError) and not asks_for_a_value:
            raise
        yield skipped(check, "", str(error))
        return
    declared = products(layer, config)
    if config.training:
        declared = 3 * declared - _spared(layer, config)
    yield compared(check, declared, flops, *allowed(layer, config, declared))
    if mode == "forward" and layer.traffic is None:
        moved -= _set_to_zero(layer, config)
        check = f"bytes, {layer.name} {preset}, torch"
        yield compared(check, _declared_bytes(layer, config), moved)


def _spared(layer: Layer, config: Config) -> int:
    """Operations of products that a backward pass does without, of two for each one forward."""
    if layer.products is not None and layer.backward_flops is not None:
        if not layer.products(config):  # what it declares is other work
            return 0
        return 2 * int(layer.flops(config)) - int(layer.backward_flops(config))
    return 0


def _set_to_zero(layer: Layer, config: Config) -> int:
    """Bytes of torch's weights that the formula does not have, such as an LSTM's second bias."""
    ones = {name: np.ones(tensor.shape) for name, tensor in layer.weights(config).items()}
    given = layer.builders["torch"].weights(ones, config)
    return sum(4 * values.size for values in given.values() if not values.any())


def _on_meta(layer: Layer, config: Config) -> tuple[int, int]:
    """(FLOPs counted, bytes of inputs, weights and output), with no values behind them."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    builder = layer.builders["torch"]
    module = builder.build(config)
    held = []
    if isinstance(module, torch.nn.Module):
        module.to("meta").train(config.training)
        held = [*module.parameters(), *module.buffers()]
    still = builder.inputs(_filled(layer, config), config)
    moved = builder.inputs(_filled(layer, config, trainable=1.0), config)
    inputs = []
    for one, other in zip(still, moved, strict=True):
        tensor = torch.empty(one.shape, dtype=getattr(torch, str(one.dtype)), device="meta")
        inputs.append(tensor.requires_grad_(config.training and bool((one != other).any())))
    own = {torch.ops.aten.convolution_backward: _convolution_backward}
    counter = FlopCounterMode(display=False, custom_mapping=own)
    with counter, torch.set_grad_enabled(config.training):
        output = builder.call(module, config, *inputs)
        if config.training:
            output.backward(torch.empty_like(output))
    tensors = [*inputs, *(tensor for tensor in (*held, output) if tensor.is_floating_point())]
    return counter.get_total_flops(), sum(tensor.nbytes for tensor in tensors)


def _filled(layer: Layer, config: Config, trainable: float = 0.0) -> dict[str, Array]:
    """Inputs of one value each, of the types that they have: zero if they have no gradient."""
    return {
        name: np.full(
            tensor.shape,
            trainable if tensor.trainable else 0,
            np.int64 if tensor.kind == "integers" else np.float32,
        )
        for name, tensor in layer.inputs(config).items()
    }


def _convolution_backward(
    upstream: Sequence[int],
    x: Sequence[int],
    weight: Sequence[int],
    *arguments: Any,
    out_shape: Any,
) -> int:
    """By shapes, torch's count of a forward pass for each gradient that is asked for.

    Its own formula for the weight's forgets the groups: it comes to as many times too much.
    """
    from torch.utils.flop_counter import conv_flop_count

    _bias, _stride, _padding, _dilation, transposed, _output_padding, _groups, wanted = arguments
    forward = conv_flop_count(list(x), list(weight), list(upstream), transposed)
    return int(sum(wanted[:2]) * forward)


def _declared_bytes(layer: Layer, config: Config) -> int:
    params = tuple(config.params.items())
    where = (layer.name, "torch", "cpu", "forward", "eager", "float32")
    case = Case(*where, 1, config.batch, config.length, params)
    return Problem(case, layer, layer.builders["torch"]).bytes


def count_xla() -> Iterator[tuple[str, str, str, str]]:
    """Likewise, of forward calls."""
    for layer in catalogue.load().values():
        preset, config = next(_configs(layer, training=False))
        check = f"products, {layer.name} {preset}, forward, XLA"
        if reason := _lacks(layer, "keras", config):
            yield astuple(skipped(check, "", reason))
            continue
        declared = products(layer, config)
        if not declared:  # XLA writes interpolation as a convolution
            yield astuple(skipped(check, "", "nothing in it is a product"))
            continue
        counted = xla_products(_xla_module(layer, config), config.length or 1)
        yield astuple(compared(check, declared, counted, *allowed(layer, config, declared)))


def _xla_module(layer: Layer, config: Config) -> str:
    """What TensorFlow hands to XLA, as text."""
    import tensorflow as tf

    builder = layer.builders["keras"]
    module = builder.build(config)
    inputs = [tf.constant(native) for native in builder.inputs(_filled(layer, config), config)]
    builder.call(module, config, *inputs)  # creates the variables

    def forward(*tensors: Any) -> Any:
        return builder.call(module, config, *tensors)

    traced = tf.function(forward, jit_compile=True, autograph=False)
    return str(traced.experimental_get_compiler_ir(*inputs)(stage="hlo"))


_SHAPE = r"\w+\[([\d,]*)\](?:\{[\d,]*\})?"
_PRODUCT = re.compile(rf"= {_SHAPE} (dot|convolution)\({_SHAPE} [^,]+, {_SHAPE} [^)]+\), (.*)")


def xla_products(text: str, steps: int) -> int:
    """Operations of the products in an XLA module's text, a multiply-add as 2.

    Args:
        text: of the module, as it was before XLA's own passes, with the shapes of operands.
        steps: how often the body of a loop runs, if there is one.
    """
    entry = text[text.index("\nENTRY ") :]
    if " while(" not in entry:
        return sum(map(_operations, _PRODUCT.finditer(text)))
    return steps * sum(map(_operations, _PRODUCT.finditer(text.replace(entry, ""))))


def _operations(product: re.Match[str]) -> int:
    result, kind, left, right, attributes = product.groups()
    if kind == "dot":
        dims = re.search(r"lhs_contracting_dims=\{([\d,]*)\}", attributes)
        assert dims
        summed = math.prod(_sizes(left)[dim] for dim in _sizes(dims[1]))
    else:
        labels = re.search(r"dim_labels=\w+_(\w+)->", attributes)
        assert labels
        sizes = dict(zip(labels[1], _sizes(right), strict=True))
        summed = math.prod(size for label, size in sizes.items() if label != "o")
        # A transposed one is written as one over zeros between the inputs, which are no work.
        apart = re.search(r"lhs_dilate=([\dx]+)", attributes)
        summed //= math.prod(map(int, apart[1].split("x"))) if apart else 1
    return 2 * math.prod(_sizes(result)) * summed


def _sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",") if size]
