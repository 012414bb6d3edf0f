"""Builders of a framework's own class, found by its name, which they cover."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from harness.layer import Builder, Config

Arguments: TypeAlias = Callable[[Config], Mapping[str, Any]]
"""config -> what the class is made with, by name."""


def torch_module(kind: str, arguments: Arguments = lambda c: {}, **fields: Any) -> Builder:
    """Of ``torch.nn.<kind>``; `fields` are those of `Builder`."""

    def build(c: Config) -> Any:
        from torch import nn

        return getattr(nn, kind)(**arguments(c))

    return Builder(build, covers=(f"torch.nn.{kind}",), **fields)


def keras_layer(kind: str, arguments: Arguments = lambda c: {}, **fields: Any) -> Builder:
    """Of ``keras.layers.<kind>``; `fields` are those of `Builder`."""

    def build(c: Config) -> Any:
        import keras

        return getattr(keras.layers, kind)(**arguments(c))

    return Builder(build, covers=(f"keras.layers.{kind}",), **fields)


def keras_activation(name: str, **arguments: Any) -> Builder:
    """Of ``keras.layers.Activation`` with the function of that name in keras.activations."""

    def build(_c: Config) -> Any:
        import keras

        function = getattr(keras.activations, name)
        return keras.layers.Activation(partial(function, **arguments))

    return Builder(build, covers=("keras.layers.Activation",))
