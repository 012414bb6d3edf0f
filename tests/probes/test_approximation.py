"""How far a result is from what the layer stands in for, at a sample of its rows."""

from __future__ import annotations

import numpy as np
import pytest

from harness.layer import Array, Arrays, Builder, Config, Layer, Places, normal
from harness.probes.approximation import ROWS, error, places
from harness.probes.parity import Outcome
from harness.problem import Problem
from harness.types import Case

SHAPE = (3, 4, 100, 8)
"""(batch, heads, seq, head_dim) of a layer that stands in for what hands on its input."""


def handed_on(inputs: Arrays, weights: Arrays, c: Config, at: Places) -> Array:
    return inputs["x"][at].astype(np.float64)


def problem(approximated: object = handed_on) -> Problem:
    builder = Builder(lambda c: None, output=lambda y, c: y.swapaxes(1, 2))
    layer = Layer(
        name="stand_in",
        family="test",
        formula="y = x",
        presets={"default": {}},
        inputs=lambda c: {"x": normal(*SHAPE)},
        output=lambda c: SHAPE,
        flops=lambda c: 1,
        reference=lambda x, w, c: x["x"],
        builders={"any": builder},
        has_seq=True,
        approximated=approximated,  # type: ignore[arg-type]
    )
    case = Case("stand_in", "any", "cpu", "forward", "eager", "float32", 1, 3, 100)
    return Problem(case, layer, builder)


def outcome(values: Array) -> Outcome:
    """In the layout of the builder, which has positions before heads."""
    return Outcome(values.swapaxes(1, 2))


def test_it_is_the_difference_over_what_is_approximated() -> None:
    x = problem().inputs["x"].astype(np.float64)
    assert error(problem(), outcome(x)) == 0
    assert error(problem(), outcome(1.25 * x)) == pytest.approx(0.25)
    assert error(problem(), outcome(np.zeros_like(x))) == 1


def test_what_is_wrong_at_the_last_place_only_is_seen() -> None:
    x = problem().inputs["x"].astype(np.float64)
    x[-1, -1, -1] += 1
    assert error(problem(), outcome(x)) == pytest.approx(ROWS**-0.5, rel=0.1)


def test_a_layer_that_stands_in_for_nothing_has_none() -> None:
    assert error(problem(None), outcome(np.zeros(SHAPE))) is None


def test_another_shape_than_that_of_the_rows_is_refused() -> None:
    with pytest.raises(ValueError, match=r"gives the shape \(8,\) for rows of \(64, 8\)"):
        error(problem(lambda x, w, c, at: np.zeros(8)), outcome(np.zeros(SHAPE)))


def test_places_are_seeded_and_spread_over_all_axes() -> None:
    batch, head, position = places("any", SHAPE[:-1])
    np.testing.assert_array_equal(position, places("any", SHAPE[:-1])[2])
    assert (position != places("other", SHAPE[:-1])[2]).any()
    assert len(position) == ROWS
    assert len({*zip(batch.tolist(), head.tolist(), position.tolist(), strict=True)}) == ROWS
    assert {*zip(batch.tolist(), head.tolist(), strict=True)} == {*np.ndindex(3, 4)}
    assert {*(position // 25).tolist()} == {0, 1, 2, 3}
    assert (batch[-1], head[-1], position[-1]) == (2, 3, 99)


def test_of_few_rows_all_are_compared() -> None:
    assert {*zip(*(axis.tolist() for axis in places("any", (1, 2, 3))), strict=True)} == {
        *np.ndindex(1, 2, 3)
    }
