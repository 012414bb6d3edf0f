"""Where a kernel is laid on its input: padding, stride and dilation, alike along each axis.

There are three paddings, as frameworks have conventions of their own:

* ``valid``: none.
* ``same``: Keras's and TensorFlow's. ceil(size / stride) results; the zeros that this takes are
  shared between both ends, and the odd one comes after. torch has it at stride 1 only, where an
  even kernel makes it copy the input with its odd zero before it convolves.
* ``symmetric``: torch's, as models are written in it: span // 2 zeros at both ends, so that an odd
  kernel keeps the size at stride 1. At a larger stride it is not what ``same`` is: at stride 2 an
  even image has its kernels one place further left. Keras models that want it, such as its own
  ResNet50, pad in a layer before; so does the builder here, where the two differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from harness.layer import Array, Config, Tensor, glorot, normal
from harness.types import UsageError, Value
from suites._spatial import keras_data_format

PADDINGS = ("valid", "same", "symmetric")


def preset(
    in_channels: int, out_channels: int, kernel: int, size: int, **others: Value
) -> dict[str, Value]:
    """The parameters of a convolution, plain or transposed, `others` being what is not usual."""
    return {
        "in_channels": in_channels,
        "out_channels": out_channels,
        "kernel": kernel,
        "size": size,
        "stride": 1,
        "groups": 1,
        "dilation": 1,
        "padding": "same",
        "layout": "native",
        **others,
    }


def weights(c: Config, rank: int, fan_in: int, fan_out: int) -> dict[str, Tensor]:
    """A kernel (kernel, ..., fan_in, fan_out), and a bias.

    Raises:
        UsageError: the outputs cannot be shared out among the groups.
    """
    if c.out_channels % c.groups:
        raise UsageError(f"groups = {c.groups} is no divisor of out_channels = {c.out_channels}")
    return {
        "kernel": glorot(*(c.kernel,) * rank, fan_in, fan_out),
        "bias": normal(c.out_channels, std=0.1),
    }


def span(c: Config) -> int:
    """Places from a kernel's first weight to its last."""
    return int(c.dilation * (c.kernel - 1) + 1)


def check_padding(c: Config) -> None:
    """Raises UsageError: there is no such padding."""
    if c.padding not in PADDINGS:
        raise UsageError(f"no padding {c.padding!r}; choose one of: {', '.join(PADDINGS)}")


def border(c: Config) -> tuple[int, int]:
    """Zeros before and after each axis of the input.

    Raises:
        UsageError: there is no such padding, or the kernel is larger than what it is laid on.
    """
    check_padding(c)
    if c.padding == "same":
        return _same(c)
    each = span(c) // 2 if c.padding == "symmetric" else 0
    if c.size + 2 * each < span(c):
        raise UsageError(f"a kernel over {span(c)} places does not fit on size = {c.size}")
    return each, each


def _same(c: Config) -> tuple[int, int]:
    results = -(-c.size // c.stride)
    zeros = max((results - 1) * c.stride + span(c) - c.size, 0)
    return zeros // 2, zeros - zeros // 2


def results(c: Config) -> int:
    """Along each axis."""
    return int((c.size + sum(border(c)) - span(c)) // c.stride + 1)


def correlated(x: Array, kernel: Array, c: Config, groups: int) -> Array:
    """Cross-correlation, as in every framework: no kernel is flipped.

    Args:
        x: (batch, groups * fan_in, size, ...).
        kernel: (kernel, ..., fan_in, groups * fan_out); a group's outputs stand together.
        c: with padding, stride and dilation.
        groups: of channels that are not mixed.

    Returns:
        (batch, groups * fan_out, results, ...).
    """
    *taps, fan_in, channels = kernel.shape
    padded = np.pad(x, ((0, 0), (0, 0), *(border(c),) * len(taps)))
    lengths = (results(c),) * len(taps)
    mixing = kernel.reshape(*taps, fan_in, groups, -1)
    output = np.zeros((len(x), groups, channels // groups, int(np.prod(lengths))))
    for tap in np.ndindex(*taps):
        starts = [c.dilation * place for place in tap]
        seen = padded[:, :, *strided(starts, lengths, c.stride)]
        columns = seen.reshape(len(x), groups, fan_in, -1)
        output += np.einsum("igo->goi", mixing[tap]) @ columns
    return output.reshape(len(x), channels, *lengths)


def strided(starts: Sequence[int], lengths: Sequence[int], stride: int) -> tuple[slice, ...]:
    """So many places of each axis, from its start on, a stride apart."""
    return tuple(
        slice(start, start + (length - 1) * stride + 1, stride)
        for start, length in zip(starts, lengths, strict=True)
    )


def per_channel(bias: Array, rank: int) -> Array:
    """As it is added to (batch, channels, size, ...)."""
    return bias.reshape(-1, *(1,) * rank)


def torch_unsupported(c: Config) -> str:
    before, after = border(c)
    if before != after and c.stride > 1:
        return (
            f"torch pads both ends alike; 'same' takes {before} before and {after} after at "
            f"size = {c.size} and stride = {c.stride}"
        )
    return ""


def torch_padding(c: Config) -> str | int:
    """For a torch convolution's ``padding``."""
    return "same" if c.padding == "same" and c.stride == 1 else border(c)[0]


def keras_unsupported(c: Config) -> str:
    if c.stride > 1 and c.dilation > 1:
        return "Keras convolves with a stride or with a dilation, not with both"
    return ""


def keras_padded(c: Config, rank: int, convolution: Callable[[str], Any]) -> Any:
    """A Keras layer from a function of its ``padding``, after a layer of zeros if it takes one."""
    import keras

    if c.padding != "symmetric":
        return convolution(c.padding)
    if border(c) == _same(c):
        return convolution("same")
    zeros = getattr(keras.layers, f"ZeroPadding{rank}D")
    before = zeros(border(c)[0], data_format=keras_data_format(c))
    return keras.Sequential([before, convolution("valid")])
