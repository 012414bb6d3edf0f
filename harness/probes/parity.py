"""Does the framework compute the layer? Output and gradients against the float64 reference.

What differs is held against what rounding explains. Most results are within a bound that follows
from the dtype and the number of operations alone. Where the layer itself amplifies rounding (the
derivative of relu jumps at 0; exp makes large numbers of small differences), the reference tells
how much: it is asked again for a problem whose values each carry a random rounding error, and what
its answer then moves by, times a margin, is rounding too. That is the condition of the problem,
seen by experiment (Higham 2002, doi:10.1137/1.9780898718027, section 1.6: forward error is at
most about condition times backward error).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path

import numpy as np

from harness.layer import Array, Mismatch, Observation
from harness.probes import reference
from harness.probes.reference import EPS, Expected, Group
from harness.problem import Problem

ROUNDINGS = 3
"""Problems with rounding errors that the reference is asked about, where it is needed at all."""
LONGEST_SUM = 1e-3
"""The most that adding up is allowed, since a count of operations may be wrong too."""
MOST = 0.3
"""No relative error beyond this is rounding, whatever the condition of the problem."""
DECIDED = 0.5
"""The least share of the results that has to be compared; see `Layer.decided`."""
MARGIN = 8.0
"""Backward error of a sound implementation, in roundings of each value: several operations follow
each other in a layer, and each stores its result rounded."""


@dataclass(frozen=True)
class Outcome:
    """What a framework computed, in its own layouts, as float64; gradients empty if forward."""

    output: Array
    input_gradients: tuple[Array | None, ...] = ()
    weight_gradients: Mapping[str, Array] | None = None


def tolerance(dtype: str, terms: float) -> float:
    """Largest relative error that rounding explains in a well-conditioned layer.

    Args:
        dtype: operands and results are stored in it; sums are accumulated in float32 at best.
        terms: operations behind one result; rounding errors add up as a random walk over them.
    """
    return 16 * EPS[dtype] + min(4 * EPS["float32"] * math.sqrt(terms), LONGEST_SUM)


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
        return _own_check(problem, outcome)
    expected = reference.answer(problem, cache)
    if not np.isfinite(expected.output).all():
        raise Mismatch("the reference itself gives values that are not finite")
    if problem.decided.mean() < DECIDED:
        raise Mismatch("too many results hang on choices that rounding makes: nothing to compare")

    @once
    def rounded() -> list[Expected]:
        return [reference.answer(problem, cache, k) for k in range(1, ROUNDINGS + 1)]

    worst = _output_error(problem, outcome, expected, rounded)
    if problem.case.mode != "forward":
        for error in _gradient_errors(problem, outcome, expected, rounded):
            worst = max(worst, error)
    return worst


def sane(problem: Problem, outcome: Outcome) -> None:
    """What can be told without the reference: the output's shape, and that it is finite.

    Raises:
        Mismatch: it is not.
    """
    output = problem.rearranged(outcome.output)
    wanted = tuple(problem.layer.output(problem.config))
    if output.shape != wanted:
        raise Mismatch(f"output has shape {output.shape}, the layer declares {wanted}")
    if not np.isfinite(output).all():
        raise Mismatch("output holds values that are not finite")


def _own_check(problem: Problem, outcome: Outcome) -> float:
    assert problem.layer.check is not None
    seen = _observation(problem, outcome)
    error = float(problem.layer.check(seen, problem.config, 4 * EPS[problem.case.dtype]))
    if not math.isfinite(error):
        raise Mismatch(f"the layer's own check gives {error} for an error")
    return error


def _observation(problem: Problem, outcome: Outcome) -> Observation:
    names = list(problem.input_tensors)
    training = problem.case.mode != "forward"
    gradients = zip(names, outcome.input_gradients, strict=True) if training else ()
    return Observation(
        inputs={name: values.astype(np.float64) for name, values in problem.inputs.items()},
        output=problem.rearranged(outcome.output),
        upstream=problem.upstream.astype(np.float64) if training else None,
        input_gradients={
            name: _canonical(problem, name, g) for name, g in gradients if g is not None
        },
    )


def _canonical(problem: Problem, name: str, gradient: Array) -> Array:
    """A native gradient in the layout of its input, which `Builder.inputs` rearranges only.

    Positions that go through it tell where each element came from.
    """
    shape = problem.input_tensors[name].shape
    place = list(problem.input_tensors).index(name)
    positions = problem.moved_inputs({name: np.arange(math.prod(shape)).reshape(shape)})[place]
    found = np.empty(math.prod(shape))
    found[positions.astype(np.int64)] = gradient
    return found.reshape(shape)


def _output_error(
    problem: Problem, outcome: Outcome, expected: Expected, rounded: Callable[[], list[Expected]]
) -> float:
    output = problem.rearranged(outcome.output)
    if output.shape != expected.output.shape:
        raise Mismatch(f"output has shape {output.shape}, the reference {expected.output.shape}")
    scale = _rms(expected.output) or 1.0

    def off(found: Array) -> float:
        differences = np.abs(found - expected.output)
        return float(np.max(differences, initial=0.0, where=problem.decided)) / scale

    limit = tolerance(problem.case.dtype, _terms(problem, output.size))
    return _judge("output", off(output), limit, lambda: max(off(r.output) for r in rounded()))


def _gradient_errors(
    problem: Problem, outcome: Outcome, expected: Expected, rounded: Callable[[], list[Expected]]
) -> Iterator[float]:
    """The relative error of each group's gradients.

    A gradient that is zero by nature, such as that of a bias on attention's keys, holds rounding
    errors only; it is judged against a tenth of the largest gradient's root mean square.
    """
    tensors = {**problem.input_tensors, **problem.weight_tensors}
    sizes = {group: sum(tensors[name].size for name in group) for group in expected.slopes}
    found: dict[Group, Array] = {}
    rms: dict[Group, float] = {}
    for group, slopes in expected.slopes.items():
        found[group], norm = _slopes(problem, outcome, group)
        rms[group] = max(norm, _rms(slopes)) / math.sqrt(sizes[group])
    floor = max(rms.values(), default=0.0) / 10 or 1.0
    for group, slopes in expected.slopes.items():
        scale = max(rms[group], floor) * math.sqrt(sizes[group])

        def spread(group: Group = group, slopes: Array = slopes, scale: float = scale) -> float:
            return _rms(np.array([r.slopes[group] - slopes for r in rounded()])) / scale

        limit = tolerance(problem.case.dtype, 2 * _terms(problem, sizes[group]))
        error = _rms(found[group] - slopes) / scale
        yield _judge(f"gradient of {', '.join(group)}", error, limit, spread)


def _slopes(problem: Problem, outcome: Outcome, group: Group) -> tuple[Array, float]:
    """(<g, V> for each direction, the norm of g), g being the group's gradients as found."""
    products = []
    squares = 0.0
    for direction in reference.directions(problem, group):
        pairs = [
            pair
            for name, moved in direction.items()
            for pair in _pairs(problem, outcome, name, moved)
        ]
        products.append(sum(float(np.vdot(gradient, part)) for gradient, part in pairs))
        # Those elements of the native gradients that belong to these tensors.
        squares = sum(float(np.sum(g[part != 0] ** 2)) for g, part in pairs)
    return np.array(products), math.sqrt(squares)


def _pairs(
    problem: Problem, outcome: Outcome, name: str, direction: Array
) -> Iterator[tuple[Array, Array]]:
    """Each native gradient that the tensor has a share in, with the direction in its layout.

    A builder's maps are affine, so a direction goes through them as the values do.
    """
    builder, config = problem.builder, problem.config
    if name in problem.input_tensors:
        parts = problem.moved_inputs({name: direction})
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


def _terms(problem: Problem, results: int) -> float:
    """Operations behind each of so many results."""
    if problem.layer.terms is not None:
        return float(problem.layer.terms(problem.config))
    return problem.forward_flops / max(results, 1)


def _judge(what: str, error: float, limit: float, spread: Callable[[], float]) -> float:
    """The error, if it is within the limit, or within what rounding moves the reference by."""
    if math.isfinite(error) and error > limit:
        limit = max(limit, min(MARGIN * spread(), MOST))
    if not error <= limit:  # NaN is a mismatch too
        raise Mismatch(
            f"{what} differs from the float64 reference by {error:.2g} (relative), "
            f"beyond {limit:.2g}, which rounding explains",
            error,
        )
    return error


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0
