"""Does the framework compute the layer? Output and gradients against the float64 reference.

The reference is a forward formula only; its gradients come from central differences along
random directions. For a direction V ~ N(0, 1), the framework's gradient g should give
<g, V> = dL/dV, and over several directions the mean square of the difference is an unbiased
estimate of the squared norm of the gradient's error (Hutchinson 1989,
doi:10.1080/03610918908812806). No formula for a gradient has to be written or trusted, and
since a builder's weight map is affine, the direction goes through the same map as the weights.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Mismatch, Observation
from harness.problem import Problem

DIRECTIONS = 2
"""Directions in which the reference is differentiated, for each tensor."""
COSTLY_FLOPS = 10**9
"""Of a forward call; beyond this one direction has to do, as each costs four such calls."""
STEP = 1e-6
"""Of the central difference; the tensors it moves are of order 1."""
SMOOTH = 1e-7
"""Largest relative change of a derivative when the step is halved; more means a kink between."""
EPS = {"float32": 2.0**-23, "bfloat16": 2.0**-7, "float16": 2.0**-10}


@dataclass(frozen=True)
class Outcome:
    """What a framework computed, in its own layouts, as float64; gradients empty if forward."""

    output: Array
    input_gradients: tuple[Array | None, ...] = ()
    weight_gradients: Mapping[str, Array] | None = None


@dataclass(frozen=True)
class Expected:
    """The reference's answer; ``slopes`` holds dL/dV by tensor, one for each direction."""

    output: Array
    slopes: Mapping[str, Array]


def tolerance(dtype: str, terms: float) -> float:
    """Largest relative error that rounding explains.

    Args:
        dtype: operands and results are stored in it; sums are accumulated in float32 at best.
        terms: operations behind one result; rounding errors add up as a random walk over them.
    """
    return 16 * EPS[dtype] + 4 * EPS["float32"] * math.sqrt(terms)


def check(problem: Problem, outcome: Outcome, cache: Path | None = None) -> float:
    """The largest relative error over output and gradients.

    Args:
        problem: what was asked.
        outcome: what came back.
        cache: folder in which the reference's answers are kept for other processes.

    Raises:
        Mismatch: an error is beyond its tolerance, or a shape is wrong.
    """
    if problem.layer.check is not None:
        seen = _observation(problem, outcome)
        return problem.layer.check(seen, problem.config, 4 * EPS[problem.case.dtype])
    expected = _expected(problem, cache)
    output = problem.builder.output(outcome.output)
    if output.shape != expected.output.shape:
        raise Mismatch(f"output has shape {output.shape}, the reference {expected.output.shape}")
    scale = _rms(expected.output)
    error = float(np.max(np.abs(output - expected.output))) / scale if output.size else 0.0
    worst = _judge("output", error, tolerance(problem.case.dtype, _terms(problem, output.size)))
    if problem.case.mode != "forward":
        for name, error, size in _gradient_errors(problem, outcome, expected):
            limit = tolerance(problem.case.dtype, 2 * _terms(problem, size))
            worst = max(worst, _judge(f"gradient of {name}", error, limit))
    return worst


def _terms(problem: Problem, results: int) -> float:
    """Operations behind each of so many results."""
    if problem.layer.terms is not None:
        return problem.layer.terms(problem.config)
    return problem.layer.flops(problem.config) / max(results, 1)


def _judge(what: str, error: float, limit: float) -> float:
    if not error <= limit:  # NaN is a mismatch too
        raise Mismatch(
            f"{what} differs from the float64 reference by {error:.2g} (relative), "
            f"beyond {limit:.2g}, which rounding explains"
        )
    return error


def _gradient_errors(
    problem: Problem, outcome: Outcome, expected: Expected
) -> Iterator[tuple[str, float, int]]:
    """(tensor, relative error, elements) of each gradient.

    A gradient that is zero by nature, such as that of a bias on attention's keys, holds rounding
    errors only; it is judged against a tenth of the largest gradient's root mean square.
    """
    tensors = {**problem.input_tensors, **problem.weight_tensors}
    errors = {}
    rms = {}
    for name, slopes in expected.slopes.items():
        found = []
        norm = 0.0
        for direction in _directions(problem, name):
            pairs = list(_pairs(problem, outcome, name, direction))
            found.append(sum(float(np.vdot(gradient, part)) for gradient, part in pairs))
            # Those elements of the native gradients that belong to this tensor.
            norm = math.sqrt(sum(float(np.sum(g[part != 0] ** 2)) for g, part in pairs))
        errors[name] = _rms(np.array(found) - slopes)
        rms[name] = max(norm, _rms(slopes)) / math.sqrt(tensors[name].size)
    floor = max(rms.values(), default=0.0) / 10
    for name, error in errors.items():
        size = tensors[name].size
        yield name, error / (max(rms[name], floor) * math.sqrt(size)), size


def _pairs(
    problem: Problem, outcome: Outcome, name: str, direction: Array
) -> Iterator[tuple[Array, Array]]:
    """Each native gradient that the tensor has a share in, with the direction in its layout."""
    builder, config = problem.builder, problem.config
    if name in problem.input_tensors:
        moved = {n: np.zeros_like(values) for n, values in problem.inputs.items()}
        parts = builder.inputs(moved | {name: direction})
        for gradient, part in zip(outcome.input_gradients, parts, strict=True):
            if gradient is not None:
                yield gradient, part
        return
    origin = {n: np.zeros_like(values) for n, values in problem.weights.items()}
    still = builder.weights(origin, config)
    moved_weights = builder.weights(origin | {name: direction}, config)
    for weight, gradient in (outcome.weight_gradients or {}).items():
        part = moved_weights[weight] - still[weight]
        if part.shape != gradient.shape:
            raise Mismatch(f"gradient of {weight} has shape {gradient.shape}, not {part.shape}")
        if part.any():
            yield gradient, part


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _directions(problem: Problem, name: str) -> Iterator[Array]:
    tensor = {**problem.input_tensors, **problem.weight_tensors}[name]
    seed = zlib.crc32(f"direction/{problem.layer.name}/{name}".encode())
    rng = np.random.default_rng(seed)
    costly = problem.layer.flops(problem.config) > COSTLY_FLOPS
    for _ in range(1 if costly else DIRECTIONS):
        yield rng.standard_normal(tensor.shape)


def _observation(problem: Problem, outcome: Outcome) -> Observation:
    names = list(problem.input_tensors)
    training = problem.case.mode != "forward"
    gradients = zip(names, outcome.input_gradients, strict=True) if training else ()
    return Observation(
        inputs={name: values.astype(np.float64) for name, values in problem.inputs.items()},
        output=problem.builder.output(outcome.output),
        upstream=problem.upstream.astype(np.float64) if training else None,
        input_gradients={name: g for name, g in gradients if g is not None},
    )


def _expected(problem: Problem, cache: Path | None) -> Expected:
    """The reference's answer, computed once for all frameworks, executions and passes."""
    case = problem.case
    training = case.mode != "forward"
    key = f"{case.layer}-{case.dtype}-{training}-{case.batch}-{case.seq}-{case.params}"
    file = cache / f"{zlib.crc32(key.encode()):08x}-{case.layer}.npz" if cache else None
    if file and file.exists():
        with np.load(file) as stored:
            slopes = {name[6:]: stored[name] for name in stored.files if name[:6] == "slope/"}
            return Expected(stored["output"], slopes)
    expected = _compute(problem, training)
    if file:
        arrays: dict[str, Any] = {f"slope/{name}": s for name, s in expected.slopes.items()}
        partial = file.with_suffix(f".{os.getpid()}.partial.npz")
        np.savez(partial, output=expected.output, **arrays)
        partial.replace(file)
    return expected


def _compute(problem: Problem, training: bool) -> Expected:
    reference = problem.layer.reference
    assert reference is not None
    tensors = {**problem.input_tensors, **problem.weight_tensors}
    values = {
        name: array.astype(np.float64) if array.dtype.kind == "f" else array
        for name, array in {**problem.inputs, **problem.weights}.items()
    }

    def run(moved: Arrays) -> Array:
        inputs = {name: moved[name] for name in problem.input_tensors}
        weights = {name: moved[name] for name in problem.weight_tensors}
        return np.asarray(reference(inputs, weights, problem.config), dtype=np.float64)

    def slope(name: str, direction: Array, step: float) -> float:
        ahead = run({**values, name: values[name] + step * direction})
        behind = run({**values, name: values[name] - step * direction})
        return float(np.vdot(problem.upstream, ahead - behind)) / (2 * step)

    def smooth_slope(name: str, direction: Array) -> float:
        """A kink (of relu, say) between the two points spoils a difference: step back from it."""
        norm = math.sqrt(direction.size)
        step = STEP
        coarse = slope(name, direction, step)
        for _ in range(6):
            step /= 4
            fine = slope(name, direction, step)
            if abs(fine - coarse) <= SMOOTH * max(abs(fine), norm):
                break
            coarse = fine
        return fine

    slopes = {}
    if training:
        for name, tensor in tensors.items():
            if tensor.trainable:
                slopes[name] = np.array(
                    [smooth_slope(name, direction) for direction in _directions(problem, name)]
                )
    return Expected(run(values), slopes)
