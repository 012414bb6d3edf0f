"""PyTorch, on CPU and CUDA."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.devices import memory
from harness.devices.memory import PeakMemory
from harness.frameworks import (
    LEARNING_RATE,
    CeilingCalls,
    Step,
    UnsupportedError,
    check_gradients,
    check_output,
    check_shape,
    check_weights,
)
from harness.layer import Array
from harness.probes.parity import Outcome
from harness.problem import Problem
from harness.types import Case


class Torch:
    """See `harness.frameworks.Framework`."""

    name = "torch"
    module = "torch"
    builder = "torch"
    for_tests = False

    _device = "cpu"
    _threads = 1

    def environment(self, threads: int, probe: str) -> Mapping[str, str]:
        return {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}

    def unsupported(self, case: Case) -> str:
        if case.execution == "compiled-xla":
            return "PyTorch compiles with Inductor, not XLA; see execution compiled"
        return ""

    def start(self, device: str, threads: int) -> None:
        import torch

        if device == "cuda" and not torch.cuda.is_available():
            raise UnsupportedError("this PyTorch sees no GPU; is it a CPU build?")
        torch.set_num_interop_threads(1)
        # TF32 drops 13 bits of the mantissa; float32 means float32 here, on every device.
        torch.backends.fp32_precision = "ieee"
        torch.manual_seed(0)
        self._device = device
        self._threads = threads

    def version(self) -> str:
        import torch

        return str(torch.__version__)

    def settings(self) -> Mapping[str, Any]:
        return {"tf32": False}

    def synchronize(self, result: Any) -> None:
        if self._device == "cuda":
            import torch

            torch.cuda.synchronize()

    clock = staticmethod(time.perf_counter)

    def device_event(self) -> Any | None:
        if self._device != "cuda":
            return None
        import torch

        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def device_seconds(self, start: Any, end: Any) -> float:
        return float(start.elapsed_time(end)) / 1e3

    def prepare(self, problem: Problem) -> Step:
        import torch
        import torch._functorch.config as functorch

        case, config, builder = problem.case, problem.config, problem.builder
        if case.execution == "compiled":
            _forget_compiled()
            # A backward pass that is timed alone runs many times over one graph, so the compiler
            # may not write over what the forward pass saved.
            functorch.donated_buffer = case.mode != "backward"
        # Each case settles what a layer before it may have changed.
        torch.set_num_threads(self._threads)
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(config.training)
        dtype = getattr(torch, case.dtype)
        module = builder.build(config)
        holders: dict[str, Any] = {}
        if isinstance(module, torch.nn.Module):
            module.to(self._device, dtype).train(config.training)
            holders = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        parameters = {name: held for name, held in holders.items() if held.requires_grad}
        _set_weights(problem, holders, set(parameters))
        inputs = [self._tensor(values, dtype) for values in problem.native_inputs()]
        for tensor, wanted in zip(inputs, problem.differentiated(), strict=True):
            tensor.requires_grad_(config.training and wanted)
        leaves = [tensor for tensor in inputs if tensor.requires_grad]
        targets = [*leaves, *parameters.values()]
        weights = list(parameters.values())
        if config.training:
            problem.upstream  # noqa: B018 - drawn here, so that no first call has to

        def forward(*tensors: Any) -> Any:
            return builder.call(module, config, *tensors)

        run = torch.compile(forward, dynamic=False) if case.execution == "compiled" else forward

        fed: Any = None

        def upstream(output: Any) -> Any:
            """Its shape is known only from the first output."""
            nonlocal fed
            if fed is None:
                check_output(output)
                fed = self._tensor(problem.native_upstream(tuple(output.shape)), dtype)
            return fed

        def differentiate(output: Any, retain_graph: bool) -> Any:
            gradient = upstream(output)
            try:
                return torch.autograd.grad(output, targets, gradient, retain_graph=retain_graph)
            except RuntimeError as error:
                if "not have been used in the graph" in str(error):
                    _name_unreached(run(*inputs), gradient, leaves, parameters)
                raise

        def open_forward() -> Callable[[], Any]:
            return lambda: (run(*inputs), ())

        def open_backward() -> Callable[[], Any]:
            output = run(*inputs)
            return lambda: (output, differentiate(output, retain_graph=True))

        def open_train() -> Callable[[], Any]:
            def train() -> Any:
                output = run(*inputs)
                gradients = differentiate(output, retain_graph=False)
                with torch.no_grad():
                    for weight, change in zip(weights, gradients[len(leaves) :], strict=True):
                        weight.add_(change, alpha=-LEARNING_RATE)
                return output, gradients

            return train

        def outcome(result: Any) -> Outcome:
            output, gradients = result
            check_output(output)
            if not config.training:
                return Outcome(_float64(output))
            by_leaf = {id(leaf): g for leaf, g in zip(leaves, gradients, strict=False)}
            return Outcome(
                _float64(output),
                tuple(_float64(by_leaf[id(t)]) if id(t) in by_leaf else None for t in inputs),
                {
                    name: _float64(change)
                    for name, change in zip(parameters, gradients[len(leaves) :], strict=True)
                },
            )

        return Step(
            {"forward": open_forward, "backward": open_backward, "train": open_train}[case.mode],
            outcome,
            sum(tensor.nbytes for tensor in holders.values()),
            _graph_breaks if case.execution == "compiled" else tuple,
        )

    def _tensor(self, values: Array, dtype: Any) -> Any:
        import torch

        tensor = torch.from_numpy(values)
        return tensor.to(self._device, dtype if tensor.is_floating_point() else None)

    def ceilings(self, dtype: str) -> CeilingCalls:
        import torch

        torch.set_num_threads(self._threads)
        torch.set_grad_enabled(False)
        kind = getattr(torch, dtype)

        def random(*shape: int) -> Any:
            return torch.randn(*shape, dtype=torch.float32).to(self._device, kind)

        def matmul(n: int) -> Callable[[], Any]:
            a, b = random(n, n), random(n, n)
            return lambda: torch.mm(a, b)

        def stream(size: int) -> Callable[[], Any]:
            count = max(1, size // 2 // kind.itemsize)
            # The sum must stay finite over thousands of calls.
            a, b = random(count), torch.zeros(count, dtype=kind, device=self._device)
            return lambda: a.add_(b)

        return CeilingCalls(matmul, stream)

    def peak_memory(self, call: Callable[[], Any]) -> PeakMemory:
        if self._device == "cpu":
            return memory.peak_memory(call)
        import torch

        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        rest = torch.cuda.memory_allocated()
        kept = call()
        torch.cuda.synchronize()
        peak = torch.cuda.max_memory_allocated()
        del kept
        return PeakMemory(peak - rest, "torch.cuda.max_memory_allocated", 1)

    def is_out_of_memory(self, error: BaseException) -> bool:
        import torch

        return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)

    def is_unsupported(self, error: BaseException) -> bool:
        return isinstance(error, NotImplementedError) or "not implemented for" in str(error)


def _name_unreached(
    output: Any, upstream: Any, leaves: list[Any], parameters: Mapping[str, Any]
) -> None:
    """Says which input or weight the output does not depend on, as autograd does not."""
    import torch

    names = [f"input {index}" for index in range(len(leaves))] + list(parameters)
    targets = [*leaves, *parameters.values()]
    check_gradients(names, torch.autograd.grad(output, targets, upstream, allow_unused=True))


def _set_weights(problem: Problem, holders: dict[str, Any], trainable: set[str]) -> None:
    import torch

    given = problem.native_weights()
    check_weights(given, trainable, set(holders) - trainable)
    with torch.no_grad():
        for name, values in given.items():
            check_shape(name, tuple(holders[name].shape), values.shape)
            holders[name].copy_(torch.from_numpy(np.ascontiguousarray(values)))


def _float64(tensor: Any) -> Array:
    values: Array = tensor.detach().double().cpu().numpy()
    return values


def _forget_compiled() -> None:
    """Each case compiles anew, and its graph breaks are its own."""
    import torch
    from torch._dynamo.utils import counters

    torch.compiler.reset()
    counters.clear()


def _graph_breaks() -> tuple[str, ...]:
    """torch.compile leaves what it cannot trace to Python, silently; the row says so."""
    from torch._dynamo.utils import counters

    breaks = sum(counters["graph_break"].values())
    return (f"torch.compile broke the graph in {breaks} places",) if breaks else ()


FRAMEWORK = Torch()
