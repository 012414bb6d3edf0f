"""TensorFlow with Keras 3, on CPU and CUDA."""

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

_NO_KERNEL = ("No OpKernel", "not in the list of allowed values")
"""How TensorFlow says that an operation does not take this dtype."""


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

    def version(self) -> str:
        import tensorflow as tf

        return str(tf.__version__)

    def settings(self) -> Mapping[str, Any]:
        import keras

        return {"tf32": False, "keras": keras.__version__}

    def synchronize(self, result: Any) -> None:
        import tensorflow as tf

        if self._device == "cuda":
            tf.test.experimental.sync_devices()
        else:  # waits for the value, without a copy
            np.asarray(tf.nest.flatten(result)[0])

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
        module = builder.build(config)
        inputs = [_tensor(values, case.dtype) for values in problem.native_inputs()]
        created = builder.call(module, config, *inputs)  # the variables, which have no values yet
        check_output(created)
        holders = _named(getattr(module, "weights", ()))
        parameters = {name: held for name, held in holders.items() if held.trainable}
        given = problem.native_weights()
        check_weights(given, set(parameters), set(holders) - set(parameters))
        for name, values in given.items():
            check_shape(name, tuple(holders[name].shape), values.shape)
            holders[name].assign(values)
        wanted = problem.differentiated()
        leaves = [tensor for tensor, wants in zip(inputs, wanted, strict=True) if wants]
        variables = [held.value for held in parameters.values()]
        rate = tf.constant(LEARNING_RATE, case.dtype)

        def forward(*tensors: Any) -> Any:
            return builder.call(module, config, *tensors)

        def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
            if case.execution == "eager":
                return function
            return tf.function(  # type: ignore[no-any-return]
                function, jit_compile=case.execution == "compiled-xla", autograph=False
            )

        names = [*(f"input {index}" for index in range(len(leaves))), *parameters]
        upstream: Any = None
        if config.training:
            upstream = _tensor(problem.native_upstream(tuple(created.shape)), case.dtype)

        def gradients(tape: Any, output: Any, sources: Any, upstream: Any) -> Any:
            found = tape.gradient(output, [*sources, *variables], output_gradients=upstream)
            check_gradients(names, found)
            # That of an embedding is sparse; PyTorch's is dense, and so is the same work here.
            return [
                tf.convert_to_tensor(gradient)
                if isinstance(gradient, tf.IndexedSlices)
                else gradient
                for gradient in found
            ]

        def open_forward() -> Callable[[], Any]:
            run = compiled(forward)
            return lambda: (run(*inputs), ())

        def open_backward() -> Callable[[], Any]:
            run = compiled(forward)
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(leaves)
                output = run(*inputs)
            return lambda: (output, gradients(tape, output, leaves, upstream))

        def open_train() -> Callable[[], Any]:
            def train(upstream: Any, *tensors: Any) -> Any:
                sources = [t for t, wants in zip(tensors, wanted, strict=True) if wants]
                with tf.GradientTape() as tape:
                    tape.watch(sources)
                    output = forward(*tensors)
                changes = gradients(tape, output, sources, upstream)
                for variable, change in zip(variables, changes[len(leaves) :], strict=True):
                    tf.raw_ops.ResourceApplyGradientDescent(
                        var=variable.handle, alpha=rate, delta=change
                    )
                return output, changes

            run = compiled(train)
            return lambda: run(upstream, *inputs)

        def outcome(result: Any) -> Outcome:
            output, changes = result
            if not config.training:
                return Outcome(_float64(output))
            remaining = iter(changes[: len(leaves)])
            return Outcome(
                _float64(output),
                tuple(_float64(next(remaining)) if wants else None for wants in wanted),
                {
                    name: _float64(change)
                    for name, change in zip(parameters, changes[len(leaves) :], strict=True)
                },
            )

        return Step(
            {"forward": open_forward, "backward": open_backward, "train": open_train}[case.mode],
            outcome,
            sum(int(np.prod(held.shape)) * held.value.dtype.size for held in holders.values()),
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

    def is_out_of_memory(self, error: BaseException) -> bool:
        import tensorflow as tf

        return isinstance(error, tf.errors.ResourceExhaustedError)

    def is_unsupported(self, error: BaseException) -> bool:
        import tensorflow as tf

        return isinstance(error, tf.errors.UnimplementedError | NotImplementedError) or (
            isinstance(error, tf.errors.InvalidArgumentError | TypeError)
            and any(sign in str(error) for sign in _NO_KERNEL)
        )


def _named(variables: Any) -> dict[str, Any]:
    """Each variable under the shortest end of its path that is its alone."""
    paths = {tuple(variable.path.split("/")): variable for variable in variables}
    named = {}
    for path, variable in paths.items():
        for start in range(len(path) - 1, -1, -1):
            end = path[start:]
            if sum(other[-len(end) :] == end for other in paths) == 1:
                named["/".join(end)] = variable
                break
    return named


def _tensor(values: Array, dtype: str) -> Any:
    import tensorflow as tf

    tensor = tf.convert_to_tensor(values)
    return tf.cast(tensor, dtype) if tensor.dtype.is_floating else tensor


def _float64(tensor: Any) -> Array:
    import tensorflow as tf

    values: Array = tf.cast(tf.convert_to_tensor(tensor), tf.float64).numpy()
    return values


FRAMEWORK = TensorFlow()
