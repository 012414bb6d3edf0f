"""PyTorch, on CPU and CUDA."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from harness.devices import memory
from harness.devices.memory import PeakMemory
from harness.devices.watch import Watch
from harness.frameworks import (
    LEARNING_RATE,
    CeilingCalls,
    Step,
    UnsupportedError,
    built,
    check_gradients,
    check_output,
    check_shape,
    check_weights,
)
from harness.layer import Array
from harness.probes.parity import Outcome
from harness.problem import Problem
from harness.profilers import Execution, Parts, Trace
from harness.profilers import torch as profiler
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
        self.watch = Watch(threads, device)
        self._threads = threads

    def version(self) -> str:
        import torch

        return str(torch.__version__)

    def packages(self) -> Mapping[str, str]:
        return {}

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

        case, config = problem.case, problem.config
        self._settle(problem)
        dtype = getattr(torch, case.dtype)
        module = built(problem.builder, config)
        holders: dict[str, Any] = {}
        if isinstance(module, torch.nn.Module):
            module.to(self._device, dtype).train(config.training)
            holders = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        parameters = {name: held for name, held in holders.items() if held.requires_grad}
        _set_weights(problem, holders, set(parameters))
        placed = _channels_last if problem.builder.channels_last(config) else _as_it_is
        for held in holders.values():
            held.data = placed(held.data)
        inputs = [placed(self._tensor(values, dtype)) for values in problem.native_inputs()]
        for tensor, wanted in zip(inputs, problem.differentiated(), strict=True):
            tensor.requires_grad_(config.training and wanted)
        if config.training:
            problem.upstream  # noqa: B018 - drawn here, so that no first call has to
        compiled = case.execution == "compiled"

        # Not a function of Python's own: its frame would be a hundredth of a call of 10 µs.
        forward = partial(problem.builder.call, module, config)
        prepared = _Prepared(
            run=torch.compile(forward, dynamic=False) if compiled else forward,
            inputs=inputs,
            parameters=parameters,
            upstream=lambda shape: placed(self._tensor(problem.native_upstream(shape), dtype)),
        )
        return Step(
            open=getattr(prepared, f"open_{case.mode}"),
            outcome=prepared.outcome,
            parameter_bytes=sum(tensor.nbytes for tensor in holders.values()),
            input_bytes=sum(tensor.nbytes for tensor in inputs)
            + (problem.upstream.size * dtype.itemsize if config.training else 0),
            notes=_graph_breaks if compiled else tuple,
        )

    def _settle(self, problem: Problem) -> None:
        """What a layer before this one may have changed, and what this case needs."""
        import torch
        import torch._functorch.config as functorch

        torch.set_num_threads(self._threads)
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(problem.config.training)
        if problem.case.execution == "compiled":
            _forget_compiled()
            # A backward pass that is timed alone runs many times over one graph, so the compiler
            # may not write over what the forward pass saved.
            functorch.donated_buffer = problem.case.mode != "backward"

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

    def execution(self, call: Callable[[], Any]) -> Execution:
        return profiler.execution(call, self._device)

    def profile(self, call: Callable[[], Any], chrome: Path) -> Trace:
        call()  # what is set up once is not in the trace
        return profiler.trace(call, self._device, chrome)

    def parts(self, step: Step) -> Parts:
        return profiler.parts(step.open, self._device)

    def is_out_of_memory(self, error: BaseException) -> bool:
        import torch

        return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)

    def is_unsupported(self, error: BaseException) -> bool:
        return isinstance(error, NotImplementedError) or "not implemented for" in str(error)


class _Prepared:
    """A module with its weights set and its inputs on the device.

    Each ``open`` gives the call that is timed, as a closure over local names: looking attributes up
    would be timed too.
    """

    def __init__(
        self,
        run: Callable[..., Any],
        inputs: Sequence[Any],
        parameters: Mapping[str, Any],
        upstream: Callable[[tuple[int, ...]], Any],
    ) -> None:
        """`upstream` makes the gradient for an output of that shape."""
        self._run = run
        self._inputs = inputs
        self._parameters = parameters
        self._leaves = [tensor for tensor in inputs if tensor.requires_grad]
        self._make_upstream = functools.cache(upstream)

    def open_forward(self) -> Callable[[], Any]:
        run = partial(self._run, *self._inputs)
        return lambda: (run(), ())

    def open_backward(self) -> Callable[[], Any]:
        differentiate = self._differentiation()
        output = self._run(*self._inputs)
        return lambda: (output, differentiate(output, retain_graph=True))

    def open_train(self) -> Callable[[], Any]:
        import torch

        run, inputs, differentiate = self._run, self._inputs, self._differentiation()
        weights, first = list(self._parameters.values()), len(self._leaves)

        def train() -> Any:
            output = run(*inputs)
            gradients = differentiate(output, retain_graph=False)
            with torch.no_grad():
                for weight, change in zip(weights, gradients[first:], strict=True):
                    weight.add_(change, alpha=-LEARNING_RATE)
            return output, gradients

        return train

    def _differentiation(self) -> Callable[..., Any]:
        """A function (output, retain_graph) -> the gradients of inputs, then of weights."""
        import torch

        targets = [*self._leaves, *self._parameters.values()]
        upstream: Any = None

        def differentiate(output: Any, retain_graph: bool) -> Any:
            nonlocal upstream
            if upstream is None:  # its shape is known only from the first output
                check_output(output)
                upstream = self._make_upstream(tuple(output.shape))
            try:
                return torch.autograd.grad(output, targets, upstream, retain_graph=retain_graph)
            except RuntimeError as error:
                if "not have been used in the graph" in str(error):
                    self._name_unreached(targets, upstream)
                raise

        return differentiate

    def _name_unreached(self, targets: Sequence[Any], upstream: Any) -> None:
        """Says which input or weight the output does not depend on, as autograd does not."""
        import torch

        output = self._run(*self._inputs)
        gradients = torch.autograd.grad(output, targets, upstream, allow_unused=True)
        inputs = (f"input {index}" for index in range(len(self._leaves)))
        check_gradients([*inputs, *self._parameters], gradients)

    def outcome(self, result: Any) -> Outcome:
        output, gradients = result
        check_output(output)
        if not gradients:
            return Outcome(_float64(output))
        found = iter(map(_float64, gradients))
        of_inputs = tuple(next(found) if t.requires_grad else None for t in self._inputs)
        return Outcome(_float64(output), of_inputs, dict(zip(self._parameters, found, strict=True)))


def _set_weights(problem: Problem, holders: dict[str, Any], trainable: set[str]) -> None:
    import torch

    given = problem.native_weights()
    check_weights(given, trainable, set(holders) - trainable)
    with torch.no_grad():
        for name, values in given.items():
            check_shape(name, tuple(holders[name].shape), values.shape)
            holders[name].copy_(torch.from_numpy(np.ascontiguousarray(values)))


def _as_it_is(tensor: Any) -> Any:
    return tensor


def _channels_last(tensor: Any) -> Any:
    """The same, with its channels last in memory; torch has a format for 2-D and 3-D images."""
    import torch

    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return tensor.contiguous(memory_format=formats.get(tensor.ndim, torch.contiguous_format))


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
