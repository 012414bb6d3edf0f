"""Two configurations measured side by side where a search asks for it, as one ordinary run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness import catalogue, frameworks
from harness.checks import check_known
from harness.layer import Layer
from harness.runner.execute import Event, execute
from harness.runner.request import Plan, Request, check_has_axis, check_search, make_plan
from harness.search import crossing
from harness.search.axis import AXES, at, pattern
from harness.search.crossing import Curves, Question
from harness.search.pairs import Figures, Pair, curves
from harness.stats import Interval
from harness.store import RunRecord, read
from harness.store.rows import rows
from harness.sweep import read as read_sweep
from harness.types import Case, Status, UsageError, parse_shape

UP_TO = {"seq": 4096, "batch": 1024}
"""Where the grid ends if nobody says; the check against float64 NumPy is what takes long there."""
DEFAULTS = {"device": "cpu", "mode": "forward", "execution": "eager", "dtype": "float32"}
_PARTS = ("layer", "framework", "device", "mode", "execution", "dtype")
_LETTERS = {"b": "batch", "s": "seq", "t": "threads"}


@dataclass(frozen=True)
class Crossover:
    """What is compared.

    Attributes:
        axis: ``seq`` or ``batch``.
        a, b: the two, each at the first value of the axis.
        values: of the axis, those of the grid.
        plan: the grid's cases, as a run.
    """

    axis: str
    a: Case
    b: Case
    values: tuple[int, ...]
    plan: Plan


def make_crossover(a: str, b: str, axis: str, request: Request, up_to: int | None) -> Crossover:
    """Settles what is compared.

    Args:
        a: a layer, or the start of a case id, such as ``lstm/torch/cpu/train``, whose shape may
            be said in part and leaves the axis out.
        b: likewise.
        axis: to search along.
        request: holds for both where they leave something open, with one value an axis or
            parameter.
        up_to: the largest value of interest; None for `UP_TO`.

    Raises:
        UsageError: something asked for does not exist or does not make sense.
    """
    check_search(axis, request)
    several = {**request.axes, **request.params}
    if name := next((name for name, values in several.items() if len(values) > 1), None):
        raise UsageError(f"{name}: a crossover compares two configurations; give one value")
    layers = catalogue.load(request.suites)
    first, last = read_sweep(request.sweep).smallest(axis), up_to or UP_TO[axis]
    values = crossing.grid(min(first, last), last)
    case_a, case_b = (_resolved(text, axis, values[0], request, layers) for text in (a, b))
    known = dict.fromkeys(key for case in (case_a, case_b) for key, _ in case.params)
    check_known("parameter", request.params, known)
    if case_a == case_b:
        raise UsageError(f"A and B are the same: {pattern(case_a, axis)}")
    cases = _cases((case_a, case_b), axis, values)
    plan = make_plan(
        replace(request, axes={}, params={}, cases=[case.id for case in cases], presets=None)
    )
    plan = replace(plan, sweep=replace(plan.sweep, name="crossover"))
    return Crossover(axis, case_a, case_b, values, plan)


def _resolved(
    text: str, axis: str, first: int, request: Request, layers: Mapping[str, Layer]
) -> Case:
    """The one case that the text and the request come to, at the first value of the axis."""
    parts = text.split("/")
    if len(parts) > len(_PARTS) + 1 or not all(parts):
        raise UsageError(f"{text!r} is not the start of a case id: {'/'.join(_PARTS)}/shape")
    said: dict[str, Any] = dict(zip(_PARTS, parts, strict=False))
    name = said.pop("layer")
    check_known("layer", [name], layers)
    check_has_axis(axis, {name: layers[name]})
    sizes, params = parse_shape(parts[6], repr(text)) if len(parts) > len(_PARTS) else ({}, ())
    sized = {_LETTERS[letter]: size for letter, size in sizes.items()}
    if axis in sized:
        raise UsageError(f"{text!r}: {axis} is what is searched along; leave {axis[0]}… out")
    if "seq" in sized and not layers[name].has_seq:
        raise UsageError(f"{text!r}: {name} has no sequence axis")
    sweep = read_sweep(request.sweep)
    axes: dict[str, Sequence[Any]] = {
        "framework": [_first_framework(layers[name])],
        **{key: [value] for key, value in DEFAULTS.items()},
        **{key: [sweep.smallest(key)] for key in ("threads", *AXES)},
        **request.axes,
        **{key: [value] for key, value in (said | sized).items()},
        axis: [first],
    }
    declared = next(iter(layers[name].presets.values()))
    given = {key: values for key, values in request.params.items() if key in declared}
    given |= {key: (value,) for key, value in params}
    plan = make_plan(replace(request, layers=(name,), axes=axes, params=given))
    if len(plan.cases) != 1:
        raise UsageError(f"{text!r} comes to {len(plan.cases)} cases; say which one")
    return plan.cases[0]


def _first_framework(layer: Layer) -> str:
    """The first that is here and has the layer; torch before others, as everywhere."""
    here = sorted(
        filter(frameworks.installed, frameworks.names()), key=lambda name: name != "torch"
    )
    having = [name for name in here if frameworks.get(name).builder in layer.builders]
    return next(iter((*having, *here, "torch")))


def _cases(two: Sequence[Case], axis: str, values: Sequence[int]) -> tuple[Case, ...]:
    return tuple(at(case, axis, value) for value in values for case in two)


def crossover(
    asked: Crossover, run: RunRecord, on_event: Callable[[Event], None]
) -> Iterator[Curves]:
    """Measures where the search asks for it, and gives what is known after each step.

    Every figure goes into the run's journal at once; what is measured beside the grid is added
    to its plan.
    """

    def ask(questions: Sequence[Question]) -> Curves:
        nonlocal run
        cases = _cases((asked.a, asked.b), asked.axis, [q.value for q in questions])
        run = replace(run, cases=tuple(dict.fromkeys((*run.cases, *cases))))
        run.save()
        passes = max(question.passes for question in questions)
        execute(replace(run, cases=cases, passes=passes), asked.plan.layers, on_event)
        return curves(measured(asked, run))

    yield from crossing.search(ask, asked.values, asked.plan.sweep.passes)


def measured(asked: Crossover, run: RunRecord) -> tuple[Pair, ...]:
    """What the run's journal holds so far of A and B, in order of the axis."""
    found = {row["case_id"]: _figures(row) for row in rows(run, read(run))}
    values = sorted({getattr(case, asked.axis) for case in run.cases})
    return tuple(
        Pair(value, *(found[at(case, asked.axis, value).id] for case in (asked.a, asked.b)))
        for value in values
    )


def _figures(row: Mapping[str, Any]) -> Figures:
    latency = None
    if row["status"] == Status.OK:
        latency = Interval(row["latency_s"], row["latency_low_s"], row["latency_high_s"])
    peak = row.get("peak_memory_bytes")
    return Figures(
        latency,
        None if peak is None or math.isnan(peak) else int(peak),
        row.get("memory_method", ""),
        row["status"],
        row["reason"],
    )
