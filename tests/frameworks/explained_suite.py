"""Layers that go a way, and hold memory, that can be told by hand."""

from __future__ import annotations

from typing import Any

from harness.layer import Builder, Config, Layer, normal


def _layer(name: str, torch: Any, keras: Any = None) -> Layer:
    builders = {"torch": Builder(torch)}
    if keras is not None:
        builders["keras"] = Builder(keras)
    return Layer(
        name=name,
        family="explained",
        formula="",
        presets={"default": {"width": 64}},
        inputs=lambda c: {"x": normal(c.batch, c.width)},
        weights=lambda c: {},
        output=lambda c: (c.batch, c.width),
        reference=lambda inputs, weights, c: inputs["x"],
        flops=lambda c: c.batch * c.width,
        builders=builders,
    )


def _there_and_back(c: Config) -> Any:
    import torch

    class ThereAndBack(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return x.double().neg().float()

    return ThereAndBack()


def _keras_there_and_back(c: Config) -> Any:
    import keras

    return keras.layers.Lambda(lambda x: keras.ops.cast(-keras.ops.cast(x, "float64"), "float32"))


def _masked_attention(c: Config) -> Any:
    """The mask wants a gradient, which flash attention on the CPU does not give."""
    import torch

    class Masked(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            mask = torch.zeros(len(x), len(x), requires_grad=True)
            q = x[None, None]
            return torch.nn.functional.scaled_dot_product_attention(q, q, q, attn_mask=mask)[0, 0]

    return Masked()


def _tanh_twice(c: Config) -> Any:
    from torch import nn

    return nn.Sequential(nn.Tanh(), nn.Tanh())


def _keras_tanh_twice(c: Config) -> Any:
    import keras

    return keras.Sequential([keras.layers.Activation("tanh"), keras.layers.Activation("tanh")])


def _relu(c: Config) -> Any:
    from torch import nn

    return nn.ReLU()


def _square(c: Config) -> Any:
    import torch

    class Square(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return x * x

    return Square()


TANH_TWICE = _layer("tanh_twice", _tanh_twice, _keras_tanh_twice)
RELU = _layer("relu_once", _relu)
SQUARE = _layer("square", _square)
CONVERTS = _layer("converts", _there_and_back, _keras_there_and_back)
MASKED = _layer("masked_attention", _masked_attention)
