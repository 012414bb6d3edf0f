"""PyTorch's calls, by torch.profiler, and by what oneDNN and MKL say of themselves."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness.profilers import Allocation, Execution, Operation, Parts, Trace, joined
from harness.profilers.memory import Event, at_peak

_PHRASES = {
    r"aten::_scaled_dot_product_flash_attention_for_cpu": "SDPA flash (CPU)",
    r"aten::_scaled_dot_product_flash_attention": "SDPA flash",
    r"aten::_scaled_dot_product_efficient_attention": "SDPA memory-efficient",
    r"aten::_scaled_dot_product_cudnn_attention": "SDPA cuDNN",
    r"aten::_scaled_dot_product_fused_attention_overrideable": "SDPA overridden",
    r"aten::_scaled_dot_product_attention_math\w*": "SDPA math",
    r"aten::_native_multi_head_attention": "fused multi-head attention",
    r"aten::_transformer_encoder_layer_fwd": "fused encoder layer",
    r"aten::_cudnn_rnn": "cuDNN RNN",
    r"aten::_thnn_fused_(lstm|gru)_cell": "step by step, fused cells",
    r"aten::(cudnn|miopen)_convolution\w*": "cuDNN convolution",
    r"aten::(_conv_depthwise2d|conv_depthwise3d)": "native depthwise convolution",
    r"aten::(_?slow_conv\w*|thnn_conv2d)": "convolution by im2col",
    r"aten::cudnn_batch_norm": "cuDNN batch norm",
    r"aten::native_(batch|layer|group)_norm": r"native \1 norm",
    r"aten::_fused_rms_norm": "fused RMS norm",
    r"(triton_|.*CompiledFxGraph).*": "Inductor",
}
"""Operators that say which implementation was chosen; what others ran says nothing."""
_RNN = re.compile(r"aten::(lstm|gru|rnn_tanh|rnn_relu)")
_RNN_WHOLE = re.compile(r"aten::(mkldnn_rnn_layer|_cudnn_rnn|_thnn_fused_(lstm|gru)_cell)")
_PRODUCT = re.compile(r"aten::(addmm|mm|bmm|baddbmm|addmv|_scaled_mm)")
_COMPILED = re.compile(r".*CompiledFxGraph")
_ONEDNN = re.compile(
    r"onednn_verbose,(?:v\d+,)?primitive,exec,\w+(?::\d+)?,(\w+),([^,:]+)[^,]*,(\w+),"
)
_SAVED, _CALL = "layerbench::saved", "layerbench::call"
"""Marks in a profile: a tensor is kept for the backward pass; the call begins that counts."""
_MKL = re.compile(r"MKL_VERBOSE ([A-Z0-9_]+)\(")


def trace(call: Callable[[], Any], device: str, chrome: Path | None = None) -> Trace:
    """One call as torch.profiler sees it.

    Args:
        call: what to run once.
        device: ``cpu`` or ``cuda``.
        chrome: file for the profiler's own trace, which Perfetto and Chrome can show.
    """
    import torch
    from torch.profiler import ProfilerActivity, profile

    activities = [ProfilerActivity.CPU]
    if device == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities, profile_memory=True) as profiler:
        call()
        if device == "cuda":
            torch.cuda.synchronize()
    if chrome is not None:
        profiler.export_chrome_trace(str(chrome))
    return _read(profiler.profiler.kineto_results.events(), device)


def _read(events: Any, device: str) -> Trace:
    events = sorted(events, key=lambda event: event.start_ns())
    first = events[0].start_ns() if events else 0
    operations, allocations = [], []
    for event in events:
        start_s, lane = (event.start_ns() - first) / 1e9, event.start_thread_id()
        on_device = event.device_type().name.lower() == device
        if event.name() == "[memory]":
            if on_device:
                allocations.append(Allocation(lane, start_s, event.nbytes()))
        elif event.device_type().name == "CPU":
            end_s = start_s + event.duration_ns() / 1e9
            operations.append(Operation(event.name(), lane, start_s, end_s))
        elif not event.is_user_annotation():
            end_s = start_s + event.duration_ns() / 1e9
            stream = -1 - event.device_resource_id()  # apart from the host's threads
            operations.append(Operation(event.name(), stream, start_s, end_s, is_kernel=True))
    return Trace(tuple(operations), tuple(allocations))


def execution(call: Callable[[], Any], device: str) -> Execution:
    """Which way a call goes: one call is traced, and on the CPU another one is listened to."""
    call()  # what is set up once is not in the trace
    seen = trace(call, device)
    return judge(seen, device, _libraries(call) if device == "cpu" else "")


def judge(seen: Trace, device: str, libraries: str) -> Execution:
    """The way that a call went.

    Args:
        seen: the call.
        device: ``cpu`` or ``cuda``.
        libraries: what oneDNN and MKL printed of it, line by line.
    """
    host = [operation.name for operation in seen.operations if not operation.is_kernel]
    operators = [name for name in host if "::" in name and not name.startswith("autograd::")]
    compiled = any(map(_COMPILED.match, host))
    # Copies and fills by the device's own engines are no kernels.
    kernels = sum(
        operation.is_kernel and not operation.name.startswith(("Memcpy", "Memset"))
        for operation in seen.operations
    )
    return Execution(
        execution_path=joined(
            [*_by_operators(host, device), *_by_libraries(libraries)], "ATen operators"
        ),
        operators=len(operators),
        kernels=kernels if device == "cuda" else None,
        conversions=None if compiled else operators.count("aten::_to_copy"),
    )


def _by_operators(names: list[str], device: str) -> Iterator[str]:
    whole = any(map(_RNN_WHOLE.fullmatch, names))
    for name in names:
        for pattern, phrase in _PHRASES.items():
            if match := re.fullmatch(pattern, name):
                yield match.expand(phrase)
        if (rnn := _RNN.fullmatch(name)) and not whole:
            yield f"{rnn[1]} step by step"
        if device == "cuda" and _PRODUCT.fullmatch(name):
            yield "cuBLAS"


def _by_libraries(text: str) -> Iterator[str]:
    """What ran inside of oneDNN and MKL; ``ref`` is oneDNN's slow implementation for anything.

    Reorders only rearrange memory; every primitive may have some.
    """
    for line in text.splitlines():
        if (primitive := _ONEDNN.match(line)) and primitive[1] != "reorder":
            backward = " backward" if primitive[3].startswith("backward") else ""
            yield f"oneDNN {primitive[1]}{backward} ({primitive[2]})"
        elif routine := _MKL.match(line):
            yield f"MKL {routine[1].lower()}"


def _libraries(call: Callable[[], Any]) -> str:
    """What oneDNN and MKL print of a call in their verbose modes."""
    import torch

    if sys.platform == "win32":  # its C library has no name to flush by
        return ""
    with contextlib.ExitStack() as stack:
        printed = stack.enter_context(_standard_output())
        if torch.backends.mkldnn.is_available():
            stack.enter_context(torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON))
        if torch.backends.mkl.is_available():
            stack.enter_context(torch.backends.mkl.verbose(torch.backends.mkl.VERBOSE_ON))
        call()
    return "".join(printed)


@contextlib.contextmanager
def _standard_output() -> Iterator[list[str]]:
    """A list that holds, at the end, what libraries in C printed."""
    flush = ctypes.CDLL(None).fflush
    printed: list[str] = []
    sys.stdout.flush()
    flush(None)
    before = os.dup(1)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        try:
            yield printed
        finally:
            flush(None)
            os.dup2(before, 1)
            os.close(before)
            file.seek(0)
            printed.append(file.read().decode(errors="replace"))


def parts(open_: Callable[[], Callable[[], Any]], device: str) -> Parts:
    """What a call holds at its peak, by torch.profiler's events of the allocator.

    What is kept for the backward pass passes through saved_tensors_hooks, which put a mark among
    those events, so that a block is not mistaken for a later one at the same address.

    Args:
        open_: opens the step anew, so that a forward pass made beforehand is seen too.
        device: ``cpu`` or ``cuda``.
    """
    import torch
    from torch.profiler import ProfilerActivity, profile, record_function

    saved: list[int] = []

    def keep(tensor: Any) -> Any:
        with record_function(_SAVED):
            saved.append(_address(tensor))
        return tensor

    activities = [ProfilerActivity.CPU]
    if device == "cuda":
        activities.append(ProfilerActivity.CUDA)
    if "torch._dynamo" in sys.modules:  # which would compile it where a graph is broken
        keep = torch.compiler.disable(keep)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        open_()()  # what is compiled is compiled anew for the hooks
        saved.clear()
        with profile(activities=activities, profile_memory=True) as profiler:
            call = open_()
            call()
            with record_function(_CALL):
                output, gradients = call()
                if device == "cuda":
                    torch.cuda.synchronize()
    tree = profiler.profiler.kineto_results.experimental_event_tree()
    return at_peak(_memory(tree, device, saved), {*map(_address, [output, *gradients])})


def _address(tensor: Any) -> int:
    """Where the tensor's storage begins; 0 if it has none of its own, as a sparse one."""
    import torch

    return tensor.untyped_storage().data_ptr() if tensor.layout == torch.strided else 0


def _memory(tree: Any, device: str, saved: list[int]) -> Iterator[Event]:
    addresses = iter(saved)
    for event in sorted(_flat(tree), key=lambda event: event.start_time_ns):
        if event.tag.name == "Allocation":
            block = event.extra_fields
            if block.device.type == device:
                size = block.alloc_size
                yield Event("taken", block.ptr, size) if size > 0 else Event("freed", block.ptr)
        elif event.name == _SAVED:
            yield Event("saved", next(addresses))
        elif event.name == _CALL:
            yield Event("call")


def _flat(events: Any) -> Iterator[Any]:
    for event in events:
        yield event
        yield from _flat(event.children)
