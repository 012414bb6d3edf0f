"""Crossings of known curves are found, with intervals that hold what they promise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from harness.search import crossing
from harness.search.crossing import Crossing, Curve, Curves, Point, Question
from harness.stats import Interval, pass_interval, ratio_interval

Law = Callable[[float], float]
PASSES = 3


def power(scale: float, exponent: float, overhead: float = 0.0) -> Law:
    return lambda n: scale * n**exponent + overhead


def _over_passes(medians: Sequence[float]) -> Interval:
    """Of passes whose own medians are known exactly."""
    return pass_interval([Interval(median, median, median) for median in medians])


class Machine:
    """Two laws with noise between processes, measured as a run would."""

    def __init__(self, a: Law, b: Law, sd: float, seed: int = 0) -> None:
        self._laws = a, b
        self._sd = sd
        self._rng = np.random.default_rng(seed)
        self.taken: dict[int, tuple[list[float], list[float]]] = {}
        self.questions: list[Question] = []

    def ask(self, questions: Sequence[Question]) -> Curves:
        for question in questions:
            self.questions.append(question)
            medians = self.taken.setdefault(question.value, ([], []))
            for law, found in zip(self._laws, medians, strict=True):
                missing = question.passes - len(found)
                noise = np.exp(self._rng.normal(0, self._sd, missing))
                found += (law(question.value) * noise).tolist()
        points = (
            Point(value, ratio_interval(_over_passes(b), _over_passes(a)))
            for value, (a, b) in sorted(self.taken.items())
        )
        return {"latency": Curve(tuple(points))}

    def crossings(self, first: int = 16, last: int = 4096) -> tuple[Crossing, ...]:
        values = crossing.grid(first, last)
        *_, known = crossing.search(self.ask, values, PASSES)
        return crossing.crossings(known["latency"].points)


def test_the_grid_doubles_and_ends_where_it_is_told_to() -> None:
    assert crossing.grid(16, 100) == (16, 32, 64, 100)
    assert crossing.grid(16, 64) == (16, 32, 64)
    assert crossing.grid(5, 5) == (5,)
    assert crossing.grid(5, 6) == (5, 6)


@pytest.mark.parametrize(("exponent", "sd"), [(2.0, 0.01), (2.0, 0.03), (1.4, 0.03), (2.0, 0.05)])
def test_the_interval_contains_the_true_crossing(exponent: float, sd: float) -> None:
    rng = np.random.default_rng(1)
    runs = 100
    hits = close = 0
    for seed in range(runs):
        truth = math.exp(rng.uniform(math.log(30), math.log(2000)))
        a = power(1 / truth**exponent, exponent, 0.2)  # 1.2 at the truth
        b = power(0.8 / truth, 1.0, 0.4)
        found = Machine(a, b, sd, seed).crossings()
        hits += any(c.lower == "B" and c.low <= truth <= c.high for c in found)
        close += bool(found) and abs(math.log(found[0].value / truth)) < 0.1
    assert hits >= 0.9 * runs
    assert close >= 0.9 * runs


def test_without_noise_the_interval_is_narrow_and_its_end_the_crossing() -> None:
    machine = Machine(power(1e-8, 2), power(4.12e-6, 1), 0.0)
    (found,) = machine.crossings()
    assert found.lower == "B"
    assert found.narrow
    assert found.low < 412 <= found.high
    assert found.value == 412
    assert found.high / found.low <= 1 + crossing.NARROW
    assert len(machine.questions) < 25


def test_small_sizes_are_told_apart_to_neighbouring_integers() -> None:
    (found,) = Machine(power(1, 6), power(10.5**6, 0), 0.0).crossings(1, 64)
    assert (found.low, found.value, found.high) == (10, 11, 11)


@pytest.mark.parametrize("sd", [0.01, 0.05])
def test_equal_curves_hardly_ever_cross(sd: float) -> None:
    flat = power(1e-4, 0)
    crossed = [bool(Machine(flat, flat, sd, seed).crossings()) for seed in range(100)]
    assert np.mean(crossed) <= 0.1


def test_curves_that_stay_apart_do_not_cross_and_cost_no_more_than_the_grid() -> None:
    machine = Machine(power(1, 1), power(2, 1), 0.02)
    assert machine.crossings() == ()
    assert len(machine.questions) == len(crossing.grid(16, 4096))


def test_every_change_of_sign_is_found() -> None:
    def wave(n: float) -> float:  # below 1 from 50 to 500
        return math.exp(math.log(n / 50) * math.log(n / 500) / 4)

    found = Machine(power(1, 0), wave, 0.005).crossings()
    assert [c.lower for c in found] == ["B", "A"]
    for truth, c in zip((50, 500), found, strict=True):
        assert c.low <= truth <= c.high


def test_more_passes_are_made_where_they_may_tell_and_not_forever() -> None:
    machine = Machine(power(1, 1.2), power(100**0.2, 1), 0.05)  # nearly parallel
    machine.crossings()
    most = max(question.passes for question in machine.questions)
    assert PASSES < most <= crossing.MOST_PASSES * PASSES
    grid = len(crossing.grid(16, 4096))
    assert len(machine.questions) < grid + crossing.MOST_QUESTIONS


def test_no_question_is_asked_twice() -> None:
    machine = Machine(power(1, 1.5), power(100**0.5, 1), 0.05)
    machine.crossings()
    assert len(machine.questions) == len(set(machine.questions))


def test_values_without_figures_are_stepped_over() -> None:
    """One of the two fails around the crossing, so it cannot be found any closer."""
    asked: list[Question] = []

    def ask(questions: Sequence[Question]) -> Curves:
        asked.extend(questions)
        points = []
        for value in sorted({question.value for question in asked}):
            exact = Interval(100 / value, 99 / value, 101 / value)
            points.append(Point(value, None if 70 < value < 120 else exact))
        return {"latency": Curve(tuple(points))}

    *_, known = crossing.search(ask, crossing.grid(16, 1024), PASSES)
    (found,) = crossing.crossings(known["latency"].points)
    assert found.low <= 70
    assert found.high >= 120
    assert len(asked) == len(set(asked)) < 30


def test_passes_are_not_asked_for_where_they_do_not_narrow() -> None:
    def curve(noisy: bool) -> Curve:
        ratios = {64: 2.0, 90: 1.04, 128: 0.5}
        return Curve(
            tuple(Point(v, Interval(r, r / 1.05, r * 1.05)) for v, r in ratios.items()), noisy
        )

    asked = dict.fromkeys((64, 90, 128), PASSES)
    assert crossing.next_question(curve(True), asked, PASSES) == Question(90, 2 * PASSES)
    other = crossing.next_question(curve(False), asked, PASSES)
    assert other is not None
    assert other.value not in asked


def test_a_point_says_which_is_lower_only_with_its_whole_interval() -> None:
    assert Point(1, Interval(0.9, 0.8, 0.99)).lower == "B"
    assert Point(1, Interval(0.9, 0.8, 1.01)).lower == ""
    assert Point(1, Interval(1.2, 1.1, 1.3)).lower == "A"
    assert Point(1, None).lower == ""
