"""Fused attention: torch's scaled_dot_product_attention with each of its kernels forced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.layer import Builder, Config, Layer
from suites.attention.masked import TorchMask, declare, mask, padding_mask

_NO_KERNEL = ("No viable backend", "No available kernel")
"""How torch says that the kernel does not take a call, on CPU and on CUDA."""


def _torch_forced(kernel: str) -> Callable[[Config], Any]:
    def build(c: Config) -> Any:
        import torch
        from torch.backends import cuda
        from torch.nn.attention import SDPBackend, sdpa_kernel
        from torch.nn.functional import scaled_dot_product_attention

        kernels = {
            "math": (SDPBackend.MATH, cuda.enable_math_sdp),
            "flash": (SDPBackend.FLASH_ATTENTION, cuda.enable_flash_sdp),
            "efficient": (SDPBackend.EFFICIENT_ATTENTION, cuda.enable_mem_efficient_sdp),
            "cudnn": (SDPBackend.CUDNN_ATTENTION, cuda.enable_cudnn_sdp),
        }
        forced, _ = kernels[kernel]
        others = [switch for name, (_, switch) in kernels.items() if name != kernel]
        # torch takes either a mask or is_causal.
        padded = padding_mask(c) is not None
        kept = TorchMask(mask(c) if padded else None)
        causal = c.causal and not padded

        def fused(query: Any, key: Any, value: Any) -> Any:
            seen = kept.beside(query)
            return scaled_dot_product_attention(query, key, value, seen, is_causal=causal)

        def alone(query: Any, key: Any, value: Any) -> Any:
            """With the others off, as sdpa_kernel does, which takes ten times as long: 11 µs."""
            for switch in others:
                switch(False)
            try:
                return fused(query, key, value)
            except RuntimeError as error:
                if not any(sign in str(error) for sign in _NO_KERNEL):
                    raise
                raise NotImplementedError(
                    f"scaled_dot_product_attention has no {kernel} kernel "
                    f"for {str(query.dtype).removeprefix('torch.')} on {query.device.type}"
                    + (", with a mask" if padded else "")
                ) from error
            finally:
                for switch in others:
                    switch(True)

        @torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
        def taken(dtype: Any, device: Any) -> bool:
            """Whether the kernel takes such a call; the compiler's own error would not tell."""
            one_head = torch.zeros(c.batch, 1, c.seq, c.head_dim, dtype=dtype, device=device)
            try:
                alone(one_head, one_head, one_head)
            except NotImplementedError:
                return False
            return True

        uncompiled = torch.compiler.disable(alone)

        def attend(query: Any, key: Any, value: Any) -> Any:
            if torch.compiler.is_compiling():
                if not taken(query.dtype, query.device):
                    return uncompiled(query, key, value)  # raises what says why
                with sdpa_kernel(forced):
                    return fused(query, key, value)
            return alone(query, key, value)

        return attend

    return build


def _sdpa(kernel: str, source: str, keras: str) -> Layer:
    """`keras` says what Keras has in its place."""
    return declare(
        f"sdpa_{kernel}",
        f"by the {kernel} kernel of torch's scaled_dot_product_attention",
        {"torch": Builder(_torch_forced(kernel))},
        source,
        {"keras": f"the {kernel} kernel is torch's; {keras}"},
    )


SDPA_MATH = _sdpa(
    "math",
    "Vaswani et al. (2017), arXiv:1706.03762, section 3.2.1",
    "attention_plain has Keras with its scores written out",
)
SDPA_FLASH = _sdpa(
    "flash",
    "Dao (2023), arXiv:2307.08691",
    "keras.ops.dot_product_attention has no flash_attention on TensorFlow",
)
SDPA_EFFICIENT = _sdpa(
    "efficient",
    "Rabe and Staats (2021), arXiv:2112.05682",
    "Keras offers no memory-efficient attention",
)
SDPA_CUDNN = _sdpa(
    "cudnn",
    "NVIDIA cuDNN frontend, scaled dot product attention",
    "Keras offers no choice of cuDNN's attention on TensorFlow",
)
