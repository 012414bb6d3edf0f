"""Which dtype sums over a sequence and exponentials are kept in.

float16 ends at 65,504, which a sum over some hundred positive features is beyond, so that the
published kernels of linear attention take float32 alone. bfloat16 has float32's range: its
products, which add up in float32, stay in it, and running sums and exponents are float32.
"""

from __future__ import annotations

from typing import Any


def torch_wide(x: Any) -> Any:
    """In float32, or float64 if it is that."""
    import torch

    return x.to(torch.promote_types(x.dtype, torch.float32))


def torch_ranged(x: Any) -> Any:
    """In a dtype that sums do not leave."""
    import torch

    return x.float() if x.dtype == torch.float16 else x


def keras_wide(x: Any) -> Any:
    """In float32, or float64 if it is that."""
    from keras import backend, ops

    return ops.cast(x, backend.result_type(x.dtype, "float32"))


def keras_ranged(x: Any) -> Any:
    """In a dtype that sums do not leave."""
    from keras import backend

    return keras_wide(x) if backend.standardize_dtype(x.dtype) == "float16" else x
