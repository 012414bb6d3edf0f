"""The problem every framework is given for a case: the same values, rounded to the case's dtype."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, canonical
from harness.types import DTYPE_BYTES, Case


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

    @cached_property
    def input_tensors(self) -> dict[str, Tensor]:
        return dict(self.layer.inputs(self.config))

    @cached_property
    def weight_tensors(self) -> dict[str, Tensor]:
        return dict(self.layer.weights(self.config))

    @cached_property
    def inputs(self) -> dict[str, Array]:
        return self._draw(self.input_tensors)

    @cached_property
    def weights(self) -> dict[str, Array]:
        return self._draw(self.weight_tensors)

    @cached_property
    def upstream(self) -> Array:
        """The gradient fed into the output, N(0, 1), in canonical layout."""
        return self._draw({"upstream": Tensor(self.layer.output(self.config))})["upstream"]

    def _draw(self, tensors: dict[str, Tensor]) -> dict[str, Array]:
        drawn = canonical(self.layer.name, tensors)
        return {name: round_to(self.case.dtype, values) for name, values in drawn.items()}

    def native_inputs(self) -> tuple[Array, ...]:
        """What the module is called with."""
        return tuple(map(np.ascontiguousarray, self.builder.inputs(self.inputs)))

    def native_weights(self) -> Arrays:
        """What the module's weights are set to, by the module's own names."""
        return self.builder.weights(self.weights, self.config)

    def native_upstream(self, shape: tuple[int, ...]) -> Array:
        """The upstream gradient in the layout of the module's own output, of that shape.

        `Builder.output` only rearranges, so sending positions through it tells where each
        element of the canonical gradient comes from.
        """
        positions = self.builder.output(np.arange(int(np.prod(shape))).reshape(shape))
        native = np.empty(positions.size, dtype=np.float32)
        native[positions.ravel()] = self.upstream.ravel()
        return native.reshape(shape)

    @property
    def flops(self) -> int:
        """Floating point operations of one call, counted as the layer declares them.

        The update is a multiply-add a weight.
        """
        forward = self.layer.flops(self.config)
        trainable = self._elements(self.weight_tensors, trainable_only=True)
        declared = self.layer.backward_flops
        backward = declared(self.config) if declared else 2 * forward
        return {
            "forward": forward,
            "backward": backward,
            "train": forward + backward + 2 * trainable,
        }[self.case.mode]

    @property
    def bytes(self) -> int:
        """Compulsory memory traffic of one call: each operand read, each result written, once."""
        inputs = self._elements(self.input_tensors)
        weights = self._elements(self.weight_tensors)
        trainable = self._elements(self.weight_tensors, trainable_only=True)
        output = int(np.prod(self.layer.output(self.config), dtype=np.int64))
        forward = inputs + weights + output
        backward = forward + inputs + trainable
        update = 3 * trainable
        elements = {
            "forward": forward,
            "backward": backward,
            "train": forward + backward + update,
        }[self.case.mode]
        return elements * DTYPE_BYTES[self.case.dtype]

    @staticmethod
    def _elements(tensors: dict[str, Tensor], trainable_only: bool = False) -> int:
        return sum(t.size for t in tensors.values() if t.trainable or not trainable_only)
