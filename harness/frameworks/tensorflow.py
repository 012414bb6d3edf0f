"""TensorFlow with Keras 3, on CPU and CUDA."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
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
from harness.profilers import tensorflow as profiler
from harness.types import Case

_NO_KERNEL = ("No OpKernel", "not in the list of allowed values", "only supports N")
"""How TensorFlow says that an operation does not take this dtype, or this layout: ``only supports
NHWC``, of a transposed convolution with channels first where oneDNN is off."""


class TensorFlow:
    """See `harness.frameworks.Framework`."""

    name = "tensorflow"
    module = "tensorflow"
    builder = "keras"
    for_tests = False

    _device = "cpu"

    def environment(self, threads: int, probe: str) -> Mapping[str, str]:
        values = {
            "KERAS_BACKEND": "tensorflow",
            "OMP_NUM_THREADS": str(threads),
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        }
        if probe == "memory":
            # oneDNN's pool never gives memory back, so that a second call's peak would read 0.
            values["TF_ONEDNN_USE_SYSTEM_ALLOCATOR"] = "1"
        return values

    def unsupported(self, case: Case) -> str:
        return ""

    def start(self, device: str, threads: int) -> None:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        # TF32 drops 13 bits of the mantissa; float32 means float32 here, on every device.
        tf.config.experimental.enable_tensor_float_32_execution(False)
        if device == "cpu":
            tf.config.set_visible_devices([], "GPU")
        elif not tf.config.list_physical_devices("GPU"):
            raise UnsupportedError("this TensorFlow sees no GPU; is it a CPU build?")
        tf.random.set_seed(0)
        self._device = device
        self.watch = Watch(threads, device)

    def version(self) -> str:
        import tensorflow as tf

        return str(tf.__version__)

    def packages(self) -> Mapping[str, str]:
        import keras

        return {"keras": str(keras.__version__)}

    def settings(self) -> Mapping[str, Any]:
        return {"tf32": False}

    def synchronize(self, result: Any) -> None:
        import tensorflow as tf

        if self._device == "cuda":
            tf.test.experimental.sync_devices()
        else:  # waits for the value; a view of it, but NumPy cannot view a bfloat16 scalar
            first = tf.nest.flatten(result)[0]
            if first is not None:  # eager TensorFlow runs what has no result to its end
                first.numpy() if first.shape.rank == 0 else np.asarray(first)

    clock = staticmethod(time.perf_counter)

    def device_event(self) -> Any | None:
        """None: TensorFlow has no public device events, so its rows carry no device time."""
        return None

    def device_seconds(self, start: Any, end: Any) -> float:
        raise AssertionError("there are no events to read")

    def prepare(self, problem: Problem) -> Step:
        import keras
        import tensorflow as tf

        case, config, builder = problem.case, problem.config, problem.builder
        keras.backend.clear_session()
        keras.config.set_dtype_policy(case.dtype)
        module = built(builder, config)
        inputs = [_tensor(values, case.dtype) for values in problem.native_inputs()]
        created = builder.call(module, config, *inputs)  # the variables, which have no values yet
        check_output(created)
        holders = _named(getattr(module, "weights", ()))
        parameters = {name: held for name, held in holders.items() if held.trainable}
        _set_weights(problem, holders, set(parameters))
        upstream: Any = None
        if config.training:
            # Of the output's own type: Keras computes losses in float32 whatever the case's is.
            upstream = _tensor(problem.native_upstream(tuple(created.shape)), created.dtype)

        def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
            if case.execution == "eager":
                return function
            return tf.function(  # type: ignore[no-any-return]
                function, jit_compile=case.execution == "compiled-xla", autograph=False
            )

        prepared = _Prepared(
            forward=lambda *tensors: builder.call(module, config, *tensors),
            compiled=compiled,
            inputs=inputs,
            wanted=problem.differentiated(),
            variables={name: held.value for name, held in parameters.items()},
            upstream=upstream,
        )
        return Step(
            open=getattr(prepared, f"open_{case.mode}"),
            outcome=prepared.outcome,
            parameter_bytes=sum(
                int(np.prod(held.shape)) * held.value.dtype.size for held in holders.values()
            ),
            input_bytes=_bytes([*inputs, *([] if upstream is None else [upstream])]),
        )

    def ceilings(self, dtype: str) -> CeilingCalls:
        import tensorflow as tf

        kind = tf.as_dtype(dtype)

        def matmul(n: int) -> Callable[[], Any]:
            a, b = (tf.cast(tf.random.normal((n, n)), kind) for _ in range(2))
            return lambda: tf.linalg.matmul(a, b)

        def stream(size: int) -> Callable[[], Any]:
            count = max(1, size // 2 // kind.size)
            # The sum must stay finite over thousands of calls.
            a = tf.Variable(tf.cast(tf.random.normal((count,)), kind))
            b = tf.zeros((count,), kind)
            return lambda: a.assign_add(b, read_value=False)

        return CeilingCalls(matmul, stream)

    def peak_memory(self, call: Callable[[], Any]) -> PeakMemory:
        if self._device == "cpu":
            return memory.peak_memory(call)
        import tensorflow as tf

        tf.test.experimental.sync_devices()
        tf.config.experimental.reset_memory_stats("GPU:0")
        rest = tf.config.experimental.get_memory_info("GPU:0")["current"]
        kept = call()
        tf.test.experimental.sync_devices()
        peak = tf.config.experimental.get_memory_info("GPU:0")["peak"]
        del kept
        return PeakMemory(peak - rest, "tf.config.experimental.get_memory_info", 1)

    def execution(self, call: Callable[[], Any]) -> Execution:
        return profiler.execution(call, self.synchronize, self._device)

    def profile(self, call: Callable[[], Any], chrome: Path) -> Trace:
        return profiler.trace(call, self.synchronize, chrome)

    def parts(self, step: Step) -> Parts:
        """What is returned, and that inference saves nothing: no more is to be had.

        What a tape or the gradient of a tf.function keeps has no public name, and the allocator
        that is used where memory is measured reports nothing to the profiler.
        """
        output, gradients = step.open()()
        saved = None if gradients else 0
        return Parts(held_bytes=None, output_bytes=_bytes([output, *gradients]), saved_bytes=saved)

    def is_out_of_memory(self, error: BaseException) -> bool:
        import tensorflow as tf

        return isinstance(error, tf.errors.ResourceExhaustedError)

    def is_unsupported(self, error: BaseException) -> bool:
        import tensorflow as tf

        return isinstance(error, tf.errors.UnimplementedError | NotImplementedError) or (
            isinstance(error, tf.errors.InvalidArgumentError | TypeError)
            and any(sign in str(error) for sign in _NO_KERNEL)
        )


class _Prepared:
    """A module with its weights set and its inputs on the device.

    Each ``open`` gives the call that is timed, as a closure over local names: looking attributes up
    would be timed too.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        compiled: Callable[[Callable[..., Any]], Callable[..., Any]],
        inputs: Sequence[Any],
        wanted: Sequence[bool],
        variables: Mapping[str, Any],
        upstream: Any,
    ) -> None:
        """`wanted` says which inputs a gradient is asked for; `compiled` makes a tf.function."""
        self._forward = forward
        self._compiled = compiled
        self._inputs = inputs
        self._wanted = wanted
        self._variables = variables
        self._upstream = upstream
        self._names = [*(f"input {index}" for index in range(sum(wanted))), *variables]

    def open_forward(self) -> Callable[[], Any]:
        run, inputs = self._compiled(self._forward), self._inputs
        return lambda: (run(*inputs), ())

    def open_backward(self) -> Callable[[], Any]:
        import tensorflow as tf

        run, leaves, upstream = (
            self._compiled(self._forward),
            self._leaves(self._inputs),
            self._upstream,
        )
        differentiate = self._differentiate
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(leaves)
            output = run(*self._inputs)
        return lambda: (output, differentiate(tape, output, leaves, upstream))

    def open_train(self) -> Callable[[], Any]:
        import tensorflow as tf

        inputs, upstream, variables = self._inputs, self._upstream, list(self._variables.values())
        rates = [tf.constant(LEARNING_RATE, variable.dtype) for variable in variables]

        def train(upstream: Any, *tensors: Any) -> Any:
            leaves = self._leaves(tensors)
            with tf.GradientTape() as tape:
                tape.watch(leaves)
                output = self._forward(*tensors)
            gradients = self._differentiate(tape, output, leaves, upstream)
            changes = gradients[len(leaves) :]
            for variable, rate, change in zip(variables, rates, changes, strict=True):
                tf.raw_ops.ResourceApplyGradientDescent(
                    var=variable.handle, alpha=rate, delta=change
                )
            return output, gradients

        run = self._compiled(train)
        return lambda: run(upstream, *inputs)

    def _leaves(self, tensors: Sequence[Any]) -> list[Any]:
        return [tensor for tensor, wants in zip(tensors, self._wanted, strict=True) if wants]

    def _differentiate(self, tape: Any, output: Any, leaves: Sequence[Any], upstream: Any) -> Any:
        """The gradients of inputs, then of weights."""
        import tensorflow as tf

        targets = [*leaves, *self._variables.values()]
        found = tape.gradient(output, targets, output_gradients=upstream)
        check_gradients(self._names, found)
        # That of an embedding is sparse; PyTorch's is dense, and so is the same work here.
        return [tf.convert_to_tensor(g) if isinstance(g, tf.IndexedSlices) else g for g in found]

    def outcome(self, result: Any) -> Outcome:
        output, gradients = result
        if not gradients:
            return Outcome(_float64(output))
        found = iter(map(_float64, gradients))
        of_inputs = tuple(next(found) if wants else None for wants in self._wanted)
        return Outcome(_float64(output), of_inputs, dict(zip(self._variables, found, strict=True)))


def _set_weights(problem: Problem, holders: Mapping[str, Any], trainable: set[str]) -> None:
    given = problem.native_weights()
    check_weights(given, trainable, set(holders) - trainable)
    for name, values in given.items():
        check_shape(name, tuple(holders[name].shape), values.shape)
        holders[name].assign(values)


def _named(variables: Any) -> dict[str, Any]:
    """Each variable under the shortest end of its path that is its alone."""
    paths = {tuple(variable.path.split("/")): variable for variable in variables}
    if len(paths) < len(variables):
        raise ValueError("two weights of the module share one path: give its sublayers names")
    named = {}
    for path, variable in paths.items():
        for start in range(len(path) - 1, -1, -1):
            end = path[start:]
            if sum(other[-len(end) :] == end for other in paths) == 1:
                named["/".join(end)] = variable
                break
    return named


def _tensor(values: Array, dtype: Any) -> Any:
    import tensorflow as tf

    tensor = tf.convert_to_tensor(values)
    return tf.cast(tensor, dtype) if tensor.dtype.is_floating else tensor


def _bytes(tensors: Sequence[Any]) -> int:
    return sum(int(np.prod(tensor.shape)) * tensor.dtype.size for tensor in tensors)


def _float64(tensor: Any) -> Array:
    import tensorflow as tf

    values: Array = tf.cast(tf.convert_to_tensor(tensor), tf.float64).numpy()
    return values


FRAMEWORK = TensorFlow()
