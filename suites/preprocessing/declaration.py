"""What all preprocessing shares: Keras alone has it, and it runs forward only.

Images are whole numbers from 0 to 255 in three channels, as they come from files, in the dtype of
the case. Random layers are called with ``training=True``, since they let images pass otherwise, and
with a seed. Where a layer draws a factor from a range, the range here is one value (``factor``):
it is drawn all the same, and what becomes of an image can be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Observation, integers
from harness.types import Value
from suites import _spatial
from suites._lacking import NO_TORCH

CHANNELS = 3
SEEDED: Mapping[str, Any] = {"seed": 1}
"""Of random layers: each process draws the same."""

BILINEAR = 9 * CHANNELS
"""Operations of three interpolations between two values, of three each, in each channel."""

Check = Callable[[Observation, Config, float], float]
"""See `harness.layer.Layer`."""


def preprocessing(builder: Builder, **fields: Any) -> Layer:
    """A layer of this family, with the fields that are its own."""
    return Layer(
        family="preprocessing",
        builders={"keras": builder},
        lacking=NO_TORCH,
        backward_flops=lambda c: 0,
        not_applicable=lambda c: (
            "preprocessing runs ahead of a model: nothing asks it for gradients"
            if c.training
            else ""
        ),
        **{"products": lambda c: 0, **fields},
    )


def images(c: Config, size: int) -> tuple[int, ...]:
    """(batch, 3, size, size)."""
    return _spatial.shape(c, 2, CHANNELS, size)


def factor(c: Config) -> dict[str, Any]:
    """A range of one value."""
    return {"factor": (c.factor, c.factor), **SEEDED}


def always(c: Config) -> dict[str, Any]:
    """With a probability of 1, as it is changing images that takes time."""
    return {"factor": (1.0, 1.0), **SEEDED}


def image(
    name: str,
    keras_name: str,
    arguments: Callable[[Config], Mapping[str, Any]],
    formula: str,
    operations: Callable[[Config], int],
    *,
    params: Mapping[str, Value] | None = None,
    sizes: tuple[int, int] = (32, 224),
    resized: bool = False,
    reference: Callable[[Array, Config], Array] | None = None,
    check: Check | None = None,
    products: Callable[[Config], int] = lambda c: 0,
    any_layout: bool = True,
    has_format: bool = True,
    source: str = "",
) -> Layer:
    """A layer of batches of images.

    Args:
        name: of the layer.
        keras_name: of its class in keras.layers.
        arguments: config -> what the class is made with.
        formula: see `harness.layer.Layer`.
        operations: config -> operations for a pixel of the output, all its channels together.
        params: further parameters, beside size and layout.
        sizes: of images, in the textbook preset and in that of ImageNet's sizes.
        resized: whether the output has another size, a parameter ``target``.
        reference: (images in float64, config) -> the output.
        check: in place of a reference.
        products: the part of the operations that is in matrix products.
        any_layout: whether the class works with channels first too.
        has_format: whether the class can be told where the channels are; others do not care.
        source: see `harness.layer.Layer`.
    """

    def build(c: Config) -> Any:
        import keras

        layout = {"data_format": _spatial.keras_data_format(c)} if has_format else {}
        return getattr(keras.layers, keras_name)(**arguments(c), **layout)

    def output(c: Config) -> tuple[int, ...]:
        return images(c, c.target if resized else c.size)

    def pixels(c: Config) -> int:
        return int(c.batch * output(c)[-1] ** 2)

    def presets() -> dict[str, dict[str, Value]]:
        small, large = sizes
        own = [{"target": size * 7 // 8} if resized else {} for size in sizes]
        return {
            "textbook": {"size": small, **own[0], **(params or {}), "layout": "native"},
            f"images_{large}": {"size": large, **own[1], **(params or {}), "layout": "native"},
        }

    return preprocessing(
        Builder(
            build,
            inputs=lambda inputs, c: tuple(
                array.astype(np.float32) for array in _spatial.keras_inputs(inputs, c)
            ),
            output=_spatial.keras_output,
            call=lambda module, c, x: module(x, training=True),
            covers=(f"keras.layers.{keras_name}",),
            unsupported=lambda c: (
                "Keras's layer takes the channels to be last, whatever its data_format"
                if not any_layout and _spatial.keras_data_format(c) == "channels_first"
                else ""
            ),
        ),
        name=name,
        formula=formula,
        presets=presets(),
        inputs=lambda c: {"x": integers(*images(c, c.size), high=256)},
        output=output,
        reference=_of_images(reference) if reference else None,
        check=check,
        flops=lambda c: operations(c) * pixels(c),
        products=lambda c: products(c) * pixels(c),
        traffic=lambda c, item: item * int(np.prod(images(c, c.size)) + np.prod(output(c))),
        source=source,
    )


def _of_images(
    formula: Callable[[Array, Config], Array],
) -> Callable[[Arrays, Arrays, Config], Array]:
    return lambda inputs, weights, c: formula(inputs["x"].astype(np.float64), c)
