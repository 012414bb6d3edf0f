"""The projections around attention, and their weights as frameworks keep them.

Canonical weights are ``<name>_kernel`` of (fan_in, fan_out) and ``<name>_bias``, for ``query``,
``key``, ``value`` and where there is one ``output``.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.layer import Array, Arrays, Config, Tensor, glorot, normal

PROJECTIONS = ("query", "key", "value")


def width(c: Config) -> int:
    """Features of a position, those of all heads."""
    return int(c.heads * c.head_dim)


def sequence(c: Config) -> tuple[int, ...]:
    """Shape of what is projected and of the output: (batch, seq, width)."""
    return (c.batch, c.seq, width(c))


def projection_weights(c: Config, widths: Mapping[str, int]) -> dict[str, Tensor]:
    """Kernels, then biases.

    Args:
        c: of the case.
        widths: features that each projection gives, by name.
    """
    kernels = {f"{name}_kernel": glorot(width(c), out) for name, out in widths.items()}
    return kernels | {f"{name}_bias": normal(out, std=0.1) for name, out in widths.items()}


def project(x: Array, weights: Arrays, name: str) -> Array:
    """(..., fan_in) to (..., fan_out)."""
    projected: Array = x @ weights[f"{name}_kernel"] + weights[f"{name}_bias"]
    return projected


def heads_first(x: Array, c: Config) -> Array:
    """(batch, seq, any number of heads * head_dim) to (batch, heads, seq, head_dim)."""
    return x.reshape(c.batch, c.seq, -1, c.head_dim).swapaxes(1, 2)


def heads_joined(x: Array, c: Config) -> Array:
    """The way back, to `sequence`."""
    return x.swapaxes(1, 2).reshape(sequence(c))


def linear_weights(weights: Arrays, _c: Config) -> dict[str, Array]:
    """Of torch's Linear layers that are called as the projections are."""
    named: dict[str, Array] = {}
    for canonical, values in weights.items():
        name, _, kind = canonical.rpartition("_")
        named |= {f"{name}.weight": values.T} if kind == "kernel" else {f"{name}.bias": values}
    return named


def head_weights(weights: Arrays, c: Config) -> dict[str, Array]:
    """Of Keras's attention layers, which keep the heads as an axis and have an output."""
    named: dict[str, Array] = {}
    for name in PROJECTIONS:
        kernel, bias = weights[f"{name}_kernel"], weights[f"{name}_bias"]
        named[f"{name}/kernel"] = kernel.reshape(width(c), -1, c.head_dim)
        named[f"{name}/bias"] = bias.reshape(-1, c.head_dim)
    return named | {
        "attention_output/kernel": weights["output_kernel"].reshape(c.heads, c.head_dim, width(c)),
        "attention_output/bias": weights["output_bias"],
    }
