"""The problem every framework is given for a case: the same values, rounded to the case's dtype."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from harness.layer import (
    Array,
    Arrays,
    Builder,
    Config,
    Layer,
    Mismatch,
    Tensor,
    canonical,
    declared,
)
from harness.types import DTYPE_BYTES, Case

CHECK_DENSITY, CHECK_LONGEST = 0.875, 2048
"""Sparse attention is checked at a length at which it is so much less dense than at half of it, but
at none beyond this one."""
CHECK_BATCH = 2
"""Enough to see whether items of a batch are kept apart."""
INDEX_BYTES = 8
"""Indices are int64 in every framework."""


def round_to(dtype: str, values: Array) -> Array:
    """float32 values rounded to the nearest that `dtype` can hold; integers pass through."""
    if values.dtype.kind != "f":
        return values
    values = values.astype(np.float32)
    if dtype == "float16":
        return values.astype(np.float16).astype(np.float32)
    if dtype == "bfloat16":  # NumPy has none: round the upper half of the bits to nearest even
        bits = values.view(np.uint32)
        bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
        return bits.view(np.float32)
    return values


def as_float64(arrays: Arrays) -> dict[str, Array]:
    """As references are given them; integers pass through."""
    return {
        name: array.astype(np.float64) if array.dtype.kind == "f" else array
        for name, array in arrays.items()
    }


@dataclass(frozen=True)
class Problem:
    """Canonical inputs, weights and upstream gradient of one case, and their native layouts.

    Arrays are float32 (int64 for indices), already rounded to the case's dtype, so that an error
    against the float64 reference is an error of computation and not of representation.
    """

    case: Case
    layer: Layer
    builder: Builder

    @cached_property
    def config(self) -> Config:
        return Config.of(self.case)

    @property
    def checked_case(self) -> Case:
        """The case in the size in which it is checked, which may be smaller; see `Layer`."""
        longest, seq = self.layer.check_length, self.case.seq
        if longest is None or seq is None or seq <= longest:
            return self.case
        smaller = replace(self.case, seq=longest, batch=min(self.case.batch, CHECK_BATCH))
        while 2 * longest <= min(seq, CHECK_LONGEST) and self._leaves_nothing_out(smaller):
            longest *= 2
            smaller = replace(smaller, seq=longest)
        return smaller

    def _leaves_nothing_out(self, case: Case) -> bool:
        """Whether the whole case leaves scores out, and this one not yet.

        A pattern that reaches its limit is less dense than at half the length.
        """
        own = self.layer.density
        if own is None or case.seq is None:
            return False
        here, half = own(Config.of(case)), own(Config.of(replace(case, seq=case.seq // 2)))
        return here > CHECK_DENSITY * half and own(self.config) < CHECK_DENSITY * here

    @cached_property
    def input_tensors(self) -> dict[str, Tensor]:
        return declared("inputs", self.layer.inputs(self.config))

    @cached_property
    def weight_tensors(self) -> dict[str, Tensor]:
        return declared("weights", self.layer.weights(self.config))

    @cached_property
    def inputs(self) -> dict[str, Array]:
        return self._draw(self.input_tensors)

    @cached_property
    def weights(self) -> dict[str, Array]:
        return self._draw(self.weight_tensors)

    @property
    def decided(self) -> Array:
        """Results that are compared, in the shape of the output; see `Layer`."""
        return np.broadcast_to(self._decided, self.layer.output(self.config))

    @cached_property
    def _decided(self) -> Array:
        own = self.layer.decided
        if own is None or self.checked_case != self.case:
            return np.asarray(True)
        return own(as_float64(self.inputs), as_float64(self.weights), self.config)

    @cached_property
    def upstream(self) -> Array:
        """The gradient fed into the output, N(0, 1), in canonical layout.

        It is 0 where the output is not compared, as no gradient could be either.
        """
        drawn = self._draw({"upstream": Tensor(self.layer.output(self.config))})["upstream"]
        return drawn if self.decided.all() else np.where(self.decided, drawn, 0)

    def _draw(self, tensors: dict[str, Tensor]) -> dict[str, Array]:
        drawn = canonical(self.layer.name, tensors)
        return {name: round_to(self.case.dtype, values) for name, values in drawn.items()}

    def native_inputs(self) -> tuple[Array, ...]:
        """What the module is called with."""
        return tuple(map(np.ascontiguousarray, self._native(self.inputs)))

    def moved_inputs(self, moves: Arrays) -> tuple[Array, ...]:
        """What the native inputs change by if the canonical ones do; a builder's map is affine."""
        return tuple(moved - still for moved, still in self._moved_and_still(moves))

    def _moved_and_still(self, moves: Arrays) -> Iterator[tuple[Array, Array]]:
        """Views of one number each as far as nobody asks for more, as inputs may be large."""
        origin = {
            name: np.broadcast_to(np.zeros((), values.dtype), values.shape)
            for name, values in self.inputs.items()
        }
        return zip(self._native({**origin, **moves}), self._native(origin), strict=True)

    def _native(self, inputs: Arrays) -> tuple[Array, ...]:
        native = self.builder.inputs(inputs, self.config)
        if not isinstance(native, tuple | list):
            raise ValueError("the builder's inputs gives no tuple of arrays, such as (x,)")
        return tuple(native)

    def differentiated(self) -> tuple[bool, ...]:
        """Which of the native inputs a gradient is asked for: those with a trainable share."""
        ones = {
            name: np.broadcast_to(np.float32(1), tensor.shape)
            for name, tensor in self.input_tensors.items()
            if tensor.trainable
        }
        return tuple(bool((a != b).any()) for a, b in self._moved_and_still(ones))

    def native_weights(self) -> Arrays:
        """What the module's weights are set to, by the module's own names."""
        given = self.builder.weights(self.weights, self.config)
        return {name: np.asarray(values) for name, values in given.items()}

    def rearranged(self, output: Array) -> Array:
        """The module's own output in canonical layout."""
        return self.builder.output(output, self.config)

    def native_upstream(self, shape: tuple[int, ...]) -> Array:
        """The upstream gradient in the layout of the module's own output, of that shape.

        `Builder.output` only rearranges, so sending positions through it tells where each
        element of the canonical gradient comes from.

        Raises:
            Mismatch: the layer declares another shape.
        """
        positions = self.rearranged(np.arange(int(np.prod(shape))).reshape(shape))
        if positions.shape != self.upstream.shape:
            raise Mismatch(
                f"output has shape {positions.shape}, the layer declares {self.upstream.shape}"
            )
        native = np.empty(positions.size, dtype=np.float32)
        native[positions.ravel()] = self.upstream.ravel()
        return native.reshape(shape)

    @property
    def forward_flops(self) -> int:
        """Floating point operations of a forward call, as the layer declares them."""
        return _count("flops", self.layer.flops(self.config))

    @property
    def held_bytes(self) -> int:
        """What inputs and weights take together: no framework can do with less.

        The output is not counted, as it may be a view of an input.
        """
        tensors = (*self.input_tensors.values(), *self.weight_tensors.values())
        return sum(map(self._bytes_of, tensors))

    @property
    def output_bytes(self) -> int:
        """What the output takes, as the layer declares its shape."""
        shape = self.layer.output(self.config)
        return int(np.prod(shape, dtype=np.int64)) * DTYPE_BYTES[self.case.dtype]

    @property
    def flops(self) -> int:
        """Floating point operations of one call, counted as the layer declares them.

        The update is a multiply-add a weight.
        """
        forward = self.forward_flops
        own = self.layer.backward_flops
        backward = _count("backward_flops", own(self.config)) if own else 2 * forward
        update = 2 * sum(tensor.size for tensor in self.weight_tensors.values() if tensor.trainable)
        return self._of_mode(forward, backward, update)

    @property
    def bytes(self) -> int:
        """Compulsory memory traffic of one call: each operand read, each result written, once."""
        item = DTYPE_BYTES[self.case.dtype]
        inputs = sum(map(self._bytes_of, self.input_tensors.values()))
        weights = sum(map(self._bytes_of, self.weight_tensors.values()))
        trainable = sum(t.size for t in self.weight_tensors.values() if t.trainable) * item
        operands = inputs + weights + self.output_bytes
        own = self.layer.traffic
        forward = _count("traffic", own(self.config, item)) if own else operands
        gradients = trainable + sum(
            t.size * item for t in self.input_tensors.values() if t.trainable
        )
        return self._of_mode(forward, forward + gradients, 3 * trainable)

    @property
    def density(self) -> float | None:
        """Share of full attention's scores that are computed, if the layer tells."""
        own = self.layer.density
        return float(own(self.config)) if own else None

    def _bytes_of(self, tensor: Tensor) -> int:
        return tensor.size * (
            INDEX_BYTES if tensor.kind == "integers" else DTYPE_BYTES[self.case.dtype]
        )

    def _of_mode(self, forward: int, backward: int, update: int) -> int:
        return {
            "forward": forward,
            "backward": backward,
            "train": forward + backward + update,
        }[self.case.mode]


class ConstantProblem(Problem):
    """A problem of the same shapes whose canonical values take no memory.

    Each tensor is one number seen everywhere, so that what a case needs is what its framework
    needs, and not what it takes to draw, round and keep values beside it. Such a case shows
    whether it fits; its result means nothing.
    """

    def _draw(self, tensors: dict[str, Tensor]) -> dict[str, Array]:
        return {
            name: np.broadcast_to(_typical(tensor), tensor.shape)
            for name, tensor in tensors.items()
        }

    def rearranged(self, output: Array) -> Array:
        """The module's own output in canonical layout."""
        return self.builder.output(output, self.config)

    def native_upstream(self, shape: tuple[int, ...]) -> Array:
        return np.ones(shape, dtype=np.float32)

    @property
    def decided(self) -> Array:
        return np.broadcast_to(np.asarray(True), self.layer.output(self.config))


def _typical(tensor: Tensor) -> Array:
    if tensor.kind == "integers":
        return np.asarray(int(tensor.low), dtype=np.int64)
    middle = (tensor.low + tensor.high) / 2 if tensor.kind == "uniform" else tensor.mean
    return np.asarray(middle, dtype=np.float32)


def _count(name: str, value: Any) -> int:
    """A count that a layer declares, NumPy's scalars included.

    Raises:
        ValueError: it is none.
    """
    try:
        count = int(value)
    except (TypeError, ValueError, OverflowError):
        count = -1
    if count < 0:
        raise ValueError(f"{name} gives {value!r}; it gives a number, 0 or more")
    return count
