"""What layers of images share: a batch, channels, then one to three axes of the same size.

A parameter ``layout`` says where the channels stand: ``native`` is what a framework's users have
by default (first in torch, last in Keras), ``channels_first`` and ``channels_last`` are said. In
torch the axes stay in order and memory is laid out so; in Keras the axes themselves move.
"""

from __future__ import annotations

import numpy as np

from harness.layer import Array, Arrays, Config, Tensor, normal
from harness.types import UsageError

LAYOUTS = ("native", "channels_first", "channels_last")


def shape(c: Config, rank: int, channels: int, size: int) -> tuple[int, ...]:
    """(batch, channels, size, ...), with `rank` axes of space.

    Raises:
        UsageError: there is no such layout.
    """
    if c.layout not in LAYOUTS:
        raise UsageError(f"no layout {c.layout!r}; choose one of: {', '.join(LAYOUTS)}")
    return (c.batch, channels, *(size,) * rank)


def images(c: Config, rank: int, channels: int) -> dict[str, Tensor]:
    """An input ``x`` of N(0, 1), (batch, channels, c.size, ...)."""
    return {"x": normal(*shape(c, rank, channels, c.size))}


def torch_channels_last(c: Config) -> bool:
    """For `Builder.channels_last`."""
    return bool(c.layout == "channels_last")


def keras_data_format(c: Config) -> str:
    """Keras's own name of the layout; its default is the last."""
    return "channels_first" if c.layout == "channels_first" else "channels_last"


def keras_inputs(inputs: Arrays, c: Config) -> tuple[Array, ...]:
    """Each input with its channels where Keras wants them; for `Builder.inputs`."""
    if keras_data_format(c) == "channels_first":
        return tuple(inputs.values())
    return tuple(np.moveaxis(array, 1, -1) for array in inputs.values())


def keras_output(output: Array, c: Config) -> Array:
    """Keras's output, channels first again; for `Builder.output`."""
    return output if keras_data_format(c) == "channels_first" else np.moveaxis(output, -1, 1)


def torch_unsupported(c: Config, rank: int) -> str:
    """For `Builder.unsupported`: a sequence has no memory format of its own in torch."""
    if c.layout == "channels_last" and rank == 1:
        return "torch has memory formats with channels last for two and three axes of space only"
    return ""


def keras_channels_last_only(c: Config, rank: int) -> str:
    """For `Builder.unsupported`, where Keras's layer of a sequence has no ``data_format``."""
    if c.layout == "channels_first" and rank == 1:
        return "Keras's layer of one axis of space takes its channels last only"
    return ""


def outputs_first(kernel: Array) -> Array:
    """A kernel (..., fan_in, fan_out) as torch has it: (fan_out, fan_in, ...)."""
    return np.moveaxis(kernel, (-1, -2), (0, 1))
