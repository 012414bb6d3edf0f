"""What all losses share: a factory, and a builder for each framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor
from harness.types import Value

Presets: TypeAlias = Mapping[str, Mapping[str, Value]]
Inputs: TypeAlias = Callable[[Config], Mapping[str, Tensor]]
Of: TypeAlias = Callable[..., Array]
"""(each input's values, in the order of the inputs) -> the numbers whose mean is the loss."""

_LACKING = {"torch": "torch.nn has no such loss", "keras": "keras.losses has no such loss"}


def torch_loss(name: str, call: Callable[..., Any] = Builder.call, **options: Any) -> Builder:
    """torch.nn's class of that name, called with (prediction, …, target) if not said otherwise."""

    def build(_c: Config) -> Any:
        from torch import nn

        return getattr(nn, name)(**options)

    return Builder(build, call=call, covers=(f"torch.nn.{name}",))


def _target_first(module: Any, _c: Config, x: Any, target: Any) -> Any:
    return module(target, x)


def keras_loss(name: str, **options: Any) -> Builder:
    """keras.losses' class of that name, called with (target, prediction)."""

    def build(_c: Config) -> Any:
        import keras

        return getattr(keras.losses, name)(**options)

    return Builder(build, call=_target_first, covers=(f"keras.losses.{name}",))


def loss(
    inputs: Inputs,
    presets: Presets,
    name: str,
    formula: str,
    of: Of,
    operations: int,
    torch: str | Builder | None = None,
    keras: str | Builder | None = None,
    **more: Any,
) -> Layer:
    """A loss whose value is a mean.

    Args:
        inputs: predictions, then targets, by name; the first prediction is ``x``.
        presets: as `Layer.presets`.
        name: unique in the catalogue.
        formula: as text; x is the prediction, t the target.
        of: the numbers that the mean is of.
        operations: for each element of ``x``, the sum of the mean included. The backward pass has
            as many: each operation has a derivative to multiply by.
        torch: the class of torch.nn, or a builder.
        keras: the class of keras.losses, or a builder.
        more: of `Layer`.
    """
    builders = {}
    if torch is not None:
        builders["torch"] = torch_loss(torch) if isinstance(torch, str) else torch
    if keras is not None:
        builders["keras"] = keras_loss(keras) if isinstance(keras, str) else keras

    def flops(c: Config) -> int:
        return operations * inputs(c)["x"].size

    def reference(values: Arrays, _weights: Arrays, _c: Config) -> Array:
        return np.asarray(np.mean(of(*values.values())))

    own = {
        "reference": reference,
        "flops": flops,
        "backward_flops": flops,
        "products": lambda c: 0,
        "lacking": {key: why for key, why in _LACKING.items() if key not in builders},
        **more,
    }
    return Layer(
        name=name,
        family="loss",
        formula=formula,
        presets=presets,
        inputs=inputs,
        output=lambda c: (),
        builders=builders,
        **own,
    )
