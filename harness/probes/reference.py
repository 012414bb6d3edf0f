"""What a layer should compute: the float64 reference's output, and its slopes.

The reference is a forward formula only. Its gradients come from central differences along random
directions: for a direction V ~ N(0, 1), a gradient g should give <g, V> = dL/dV, and over several
directions the mean square of the difference is an unbiased estimate of the squared norm of the
gradient's error (Hutchinson 1989, doi:10.1080/03610918908812806). No formula for a gradient has
to be written or trusted.
"""

from __future__ import annotations

import hashlib
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from harness.layer import Array, Arrays
from harness.problem import Problem

DIRECTIONS = 2
"""In which the reference is differentiated, for each group of tensors."""
COSTLY_FLOPS = 10**9
"""Of a forward call. A direction costs four; beyond this all tensors are moved at once."""
STEP = 1e-6
"""Of the central difference; the tensors it moves are of order 1."""
SMOOTH = 1e-7
"""Largest relative change of a derivative when the step is halved; more means a kink between."""
NOISY = 1e-3
"""A change so large after the last halving is no kink: the formula itself is not exact."""
EPS = {"float32": 2.0**-23, "bfloat16": 2.0**-7, "float16": 2.0**-10}

Group: TypeAlias = tuple[str, ...]
"""Names of tensors that are moved together."""


@dataclass(frozen=True)
class Expected:
    """The reference's answer; ``slopes`` holds dL/dV by group, one for each direction."""

    output: Array
    slopes: Mapping[Group, Array]


def groups(problem: Problem) -> list[Group]:
    """The trainable tensors, each alone, or all together where a call is costly."""
    tensors = {**problem.input_tensors, **problem.weight_tensors}
    trainable = tuple(name for name, tensor in tensors.items() if tensor.trainable)
    if problem.forward_flops > COSTLY_FLOPS:
        return [trainable] if trainable else []
    return [(name,) for name in trainable]


def directions(problem: Problem, group: Group) -> Iterator[dict[str, Array]]:
    """Random directions for a group, by tensor; the same for all frameworks."""
    tensors = {**problem.input_tensors, **problem.weight_tensors}
    rngs = {name: _rng("direction", problem, name) for name in group}
    for _ in range(DIRECTIONS):
        yield {name: rng.standard_normal(tensors[name].shape) for name, rng in rngs.items()}


def answer(problem: Problem, cache: Path | None, rounding: int = 0) -> Expected:
    """The reference's answer, computed once for all frameworks, executions and passes.

    Args:
        problem: inputs, weights, upstream gradient.
        cache: folder in which answers are kept for other processes, or None.
        rounding: 0 for the answer itself; another number for the answer to a problem whose
            values were each moved by a random rounding error of the case's dtype.
    """
    case = problem.case
    training = case.mode != "forward"
    key = f"{case.layer} {case.dtype} {training} {case.batch} {case.seq} {case.params} {rounding}"
    name = hashlib.blake2b(key.encode(), digest_size=12).hexdigest()
    file = cache / f"{name}.npz" if cache else None
    if file and file.exists():
        return _read(file)
    expected = _compute(problem, training, rounding)
    if file:
        _write(file, expected)
    return expected


def sketch(problem: Problem, cache: Path | None) -> list[float]:
    """The reference's output, projected on a few random directions and relative to its size.

    Two references that compute the same from the same inputs agree in these to rounding.
    """
    output = answer(problem, cache).output
    rng = _rng("sketch", problem, "output")
    scale = float(np.linalg.norm(output)) or 1.0
    seen = [float(np.vdot(rng.standard_normal(output.shape), output)) for _ in range(DIRECTIONS)]
    return [scale, *(value / scale for value in seen)]


def _read(file: Path) -> Expected:
    with np.load(file) as stored:
        slopes = {
            tuple(name.split("/")[1:]): stored[name]
            for name in stored.files
            if name.startswith("slope/")
        }
        return Expected(stored["output"], slopes)


def _write(file: Path, expected: Expected) -> None:
    arrays: dict[str, Any] = {
        "/".join(("slope", *group)): slopes for group, slopes in expected.slopes.items()
    }
    partial = file.with_suffix(f".{os.getpid()}.partial.npz")
    try:
        np.savez(partial, output=expected.output, **arrays)
        partial.replace(file)
    except OSError:  # a full disk, say: the answer is computed again by whoever needs it
        partial.unlink(missing_ok=True)


def _rng(purpose: str, problem: Problem, name: str) -> np.random.Generator:
    seed = zlib.crc32(f"{purpose}/{problem.layer.name}/{name}".encode())
    return np.random.default_rng(seed)


def _values(problem: Problem, rounding: int) -> dict[str, Array]:
    values = {**problem.inputs, **problem.weights}
    for name, array in values.items():
        if array.dtype.kind != "f":
            continue
        values[name] = array.astype(np.float64)
        if rounding:
            unit = EPS[problem.case.dtype] / 2
            rng = _rng(f"rounding {rounding}", problem, name)
            values[name] *= 1 + rng.uniform(-unit, unit, array.shape)
    return values


def _read_only(array: Array) -> Array:
    """A view that a formula cannot write to, since other evaluations need the values too."""
    view = np.asarray(array).view()  # sums of arrays without axes are scalars
    view.flags.writeable = False
    return view


def _compute(problem: Problem, training: bool, rounding: int) -> Expected:
    reference = problem.layer.reference
    assert reference is not None
    values = _values(problem, rounding)

    def run(moved: Arrays) -> Array:
        held = {name: _read_only(array) for name, array in moved.items()}
        inputs = {name: held[name] for name in problem.input_tensors}
        weights = {name: held[name] for name in problem.weight_tensors}
        output = np.asarray(reference(inputs, weights, problem.config))
        if output.dtype != np.float64 and output.dtype.kind not in "iub":
            raise ValueError(
                f"the reference gives {output.dtype}; it has to compute in float64 throughout"
            )
        return output.astype(np.float64, copy=False)

    def slope(direction: Mapping[str, Array], step: float) -> float:
        ahead = run(values | {name: values[name] + step * v for name, v in direction.items()})
        behind = run(values | {name: values[name] - step * v for name, v in direction.items()})
        return float(np.vdot(problem.upstream, ahead - behind)) / (2 * step)

    def smooth_slope(direction: Mapping[str, Array]) -> float:
        """A kink (of relu, say) between the two points spoils a difference: step back from it."""
        norm = math.sqrt(sum(v.size for v in direction.values()))
        step = STEP
        fine = slope(direction, step)
        for _ in range(6):
            step /= 4
            coarse, fine = fine, slope(direction, step)
            change = abs(fine - coarse) / max(abs(fine), norm)
            if change <= SMOOTH:
                return fine
        if change > NOISY:
            raise ValueError(
                "the reference's differences do not settle as the step shrinks: does it compute in "
                "float32 somewhere, or draw random numbers?"
            )
        return fine

    output = run(values)
    wanted = tuple(problem.layer.output(problem.config))
    if output.shape != wanted:
        raise ValueError(
            f"the layer declares an output of shape {wanted}, its reference gives {output.shape}"
        )
    slopes = {}
    if training:
        for group in groups(problem):
            slopes[group] = np.array([smooth_slope(d) for d in directions(problem, group)])
    return Expected(output, slopes)
