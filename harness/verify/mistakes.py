"""Layers that are deliberately wrong, each in a way that layouts and defaults invite.

A suite like any other, so that each goes the way of a user's layer; the tests of suites/ use the
same builders. None may pass for the layer that it is named after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from harness import catalogue
from harness.layer import Array, Arrays, Builder, Config, Layer

_Change: TypeAlias = Callable[[Arrays], Arrays]
_LAYERS = catalogue.load()


def _rewired(builder: Builder, change: _Change) -> Builder:
    def weights(canonical: Arrays, c: Config) -> Arrays:
        return builder.weights(change(canonical), c)

    return replace(builder, weights=weights)


def _changed(name: str, how: Callable[[Array], Array]) -> _Change:
    return lambda weights: {**weights, name: how(weights[name])}


def _gates(*order: int) -> _Change:
    def reorder(stacked: Array) -> Array:
        gates = np.split(stacked, len(order), axis=-1)
        return np.concatenate([gates[gate] for gate in order], axis=-1)

    return lambda weights: {name: reorder(stacked) for name, stacked in weights.items()}


def _exchanged_statistics(weights: Arrays) -> Arrays:
    mean, variance = weights["moving_mean"], weights["moving_variance"]
    return {**weights, "moving_mean": variance, "moving_variance": np.abs(mean)}


_WIRING: tuple[tuple[str, str, _Change], ...] = (
    ("dense", "no_bias", _changed("bias", np.zeros_like)),
    ("conv2d", "flipped_kernel", _changed("kernel", lambda k: k[::-1, ::-1].copy())),
    ("simple_rnn", "transposed_recurrent_kernel", _changed("recurrent_kernel", np.transpose)),
    ("lstm", "gates_i_f_o_g", _gates(0, 1, 3, 2)),
    ("gru", "gates_z_r_n", _gates(1, 0, 2)),
    ("gru", "one_bias", _changed("recurrent_bias", np.zeros_like)),
    ("attention_projected", "transposed_query", _changed("query_kernel", np.transpose)),
    ("multi_head_attention", "transposed_value", _changed("value_kernel", np.transpose)),
    ("multi_head_attention", "no_output_bias", _changed("output_bias", np.zeros_like)),
    ("batch_norm", "exchanged_statistics", _exchanged_statistics),
)


def _torch_tanh_gelu(c: Config) -> Any:
    from torch import nn

    return nn.Sequential(nn.Linear(c.in_features, c.out_features), nn.GELU(approximate="tanh"))


def _torch_keras_epsilon(c: Config) -> Any:
    from torch import nn

    return (nn.BatchNorm2d if c.size > 1 else nn.BatchNorm1d)(c.features, eps=1e-3)

    return nn.Sequential(nn.Dropout(c.p), nn.Hardtanh(-1e9, 1e9))


def _keras_tanh_gelu(c: Config) -> Any:
    import keras

    def gelu(x: Any) -> Any:
        return keras.activations.gelu(x, approximate=True)

    return keras.layers.Dense(c.out_features, activation=gelu)


def _keras_default_epsilon(_c: Config) -> Any:
    import keras

    return keras.layers.BatchNormalization()


_OPTIONS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("torch", "dense", "tanh_gelu", {"build": _torch_tanh_gelu}),
    ("torch", "batch_norm", "other_epsilon", {"build": _torch_keras_epsilon}),
    ("torch", "attention", "no_scale", {"call": lambda f, c, q, k, v: f(q, k, v, scale=1.0)}),
    ("torch", "attention", "key_for_value", {"call": lambda f, c, q, k, v: f(q, k, k)}),
    ("torch", "dropout", "unscaled", {"call": lambda f, c, x: f(x) * (1 - c.p)}),
    ("keras", "dense", "tanh_gelu", {"build": _keras_tanh_gelu}),
    ("keras", "batch_norm", "other_epsilon", {"build": _keras_default_epsilon}),
    ("keras", "attention", "no_scale", {"call": lambda f, c, q, k, v: f([q, v, k])}),
    (
        *("keras", "attention", "key_for_value"),
        {"call": lambda f, c, q, k, v: f([q / c.head_dim**0.5, k, k])},
    ),
    (
        *("keras", "dropout", "unscaled"),
        {"call": lambda f, c, x: f(x, training=c.training) * (1 - c.p)},
    ),
)
"""Options of a framework's own: (builder, layer, mistake, what is different)."""


def _all() -> Iterator[tuple[str, str, str, Builder]]:
    """(layer, mistake, builder's name, wrong builder)."""
    for layer, mistake, change in _WIRING:
        for name, builder in _LAYERS[layer].builders.items():
            yield layer, mistake, name, _rewired(builder, change)
    for name, layer, mistake, options in _OPTIONS:
        yield layer, mistake, name, replace(_LAYERS[layer].builders[name], **options)


def _declared() -> dict[str, Layer]:
    """The wrong layers by name: that of the right one, two underscores, and the mistake."""
    builders: dict[tuple[str, str], dict[str, Builder]] = {}
    for layer, mistake, name, builder in _all():
        builders.setdefault((layer, mistake), {})[name] = builder
    return {
        f"{layer}__{mistake}": replace(_LAYERS[layer], name=f"{layer}__{mistake}", builders=wrong)
        for (layer, mistake), wrong in builders.items()
    }


MISTAKES = _declared()
globals().update(MISTAKES)  # where a suite's layers are looked for
