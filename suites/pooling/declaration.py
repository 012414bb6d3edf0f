"""One factory for what all pooling layers share: images in, a grid of windows out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.checks import Allowed
from harness.layer import Array, Arrays, Builder, Config, Layer
from harness.types import Value
from suites import _spatial
from suites._lacking import NO_KERAS
from suites.pooling.windows import Window, covered, leads, pooled

TEXTBOOK_CHANNELS = {1: 64, 2: 16, 3: 16}
TEXTBOOK_SIZE = {1: 128, 2: 16, 3: 8}
"""By rank; so that a textbook call takes a millisecond or so."""


CLOSE = 2e-5
"""A lead of a maximum of 3-D images that is too small to compare by. TensorFlow's gradient on the
CPU goes to every value of a window that is within 1e-5 of its maximum, in 3-D only."""


@dataclass(frozen=True)
class Kind:
    """What is made of the values in a window.

    Attributes:
        formula: of a window's values x.
        forward: (positions in windows, results) -> operations.
        backward: likewise.
        reduce: takes an array and an axis, as `numpy.max` does.
        before, after: what is done to the values, and to what they are reduced to.
    """

    formula: str
    forward: Callable[[int, int], int]
    backward: Callable[[int, int], int]
    reduce: Callable[..., Any]
    before: Callable[[Array, Config], Array] = lambda x, c: x
    after: Callable[[Array, Config], Array] = lambda y, c: y

    def reference(self, x: Array, windows: Sequence[Window], c: Config) -> Array:
        """In float64, channels first."""
        return self.after(pooled(self.before(x, c), windows, self.reduce), c)


# Of a window of n values: n - 1 comparisons, and a gradient that is added to where the maximum is.
MAX = Kind("max(x)", lambda n, y: n - y, lambda n, y: y, np.max)
# n - 1 sums and a division; the gradient is divided, and its share added up n times.
MEAN = Kind("mean(x)", lambda n, y: n, lambda n, y: n + y, np.mean)
# n powers, n - 1 sums, a root; dx = dy y^(1 - p) x^(p - 1).
LP = Kind(
    "(sum of x^p)^(1 / p)",
    lambda n, y: 2 * n,
    lambda n, y: 3 * n + 2 * y,
    np.sum,
    before=lambda x, c: x**c.norm_type,
    after=lambda y, c: y ** (1 / c.norm_type),
)


def pooling(
    name: str,
    rank: int,
    kind: Kind,
    windows: Callable[[Config], list[Window]],
    presets: Mapping[str, Mapping[str, Value]],
    *,
    formula: str,
    torch: Builder,
    keras: Builder | None = None,
    flat: bool = False,
    allowed: Mapping[str, Allowed] | None = None,
    source: str = "",
) -> Layer:
    """A layer whose windows follow from its parameters.

    Args:
        name: of the layer, without its rank.
        rank: axes of space.
        kind: what is made of a window.
        windows: of each axis.
        presets: without layout, which every layer has.
        formula: what the windows are; what is made of them is said by the kind.
        torch: the builder.
        keras: likewise; None says that Keras has no such layer.
        flat: whether the output is (batch, channels), its one window's axes left out.
        allowed: see `harness.layer.Layer`.
        source: see there.
    """

    def output(c: Config) -> tuple[int, ...]:
        shape = _spatial.shape(c, rank, c.channels, len(windows(c)))
        return shape[:2] if flat else shape

    def reference(inputs: Arrays, _weights: Arrays, c: Config) -> Array:
        return kind.reference(inputs["x"], windows(c), c).reshape(output(c))

    def decided(inputs: Arrays, _weights: Arrays, c: Config) -> Array:
        return leads(inputs["x"], windows(c)).reshape(output(c)) > CLOSE

    def counted(operations: Callable[[int, int], int]) -> Callable[[Config], int]:
        def count(c: Config) -> int:
            planes = c.batch * c.channels
            return operations(planes * covered(windows(c), rank), planes * len(windows(c)) ** rank)

        return count

    return Layer(
        name=f"{name}{rank}d",
        family="pooling",
        formula=f"y = {kind.formula} for each window x {formula}",
        presets={key: {**preset, "layout": "native"} for key, preset in presets.items()},
        inputs=lambda c: _spatial.images(c, rank, c.channels),
        output=output,
        reference=reference,
        flops=counted(kind.forward),
        backward_flops=counted(kind.backward),
        terms=lambda c: covered(windows(c), rank) // len(windows(c)) ** rank,
        products=lambda c: 0,
        decided=decided if kind is MAX and rank == 3 else None,
        builders={"torch": torch} if keras is None else {"torch": torch, "keras": keras},
        lacking=NO_KERAS if keras is None else {},
        allowed=allowed or {},
        source=source,
    )


def torch_builder(
    rank: int, build: Callable[[Config], Any], covers: tuple[str, ...] = (), **fields: Any
) -> Builder:
    """Of a module that takes images, in the layout of the config."""
    return Builder(
        build,
        covers=covers,
        channels_last=_spatial.torch_channels_last,
        unsupported=lambda c: no_memory_format(c, rank),
        **fields,
    )


def no_memory_format(c: Config, rank: int) -> str:
    """Of torch."""
    if rank == 1 and _spatial.torch_channels_last(c):
        return "torch's memory formats with channels last are of 2-D and 3-D images"
    return ""


def keras_builder(
    layer: str,
    arguments: Callable[[Config], Mapping[str, Any]],
    unsupported: Callable[[Config], str] = lambda c: "",
) -> Builder:
    """Of the class ``keras.layers.<layer>``, with these arguments, in the layout of the config."""

    def build(c: Config) -> Any:
        import keras

        make = getattr(keras.layers, layer)
        return make(**arguments(c), data_format=_spatial.keras_data_format(c))

    return Builder(
        build,
        inputs=_spatial.keras_inputs,
        output=_spatial.keras_output,
        covers=(f"keras.layers.{layer}",),
        unsupported=unsupported,
    )
