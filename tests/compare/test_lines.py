"""Cases of a layer together: means over common cases only, and what defies the ceilings."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest
from boxes import box
from frames import NAN, row

from harness import compare
from harness.compare.lines import BAND, BY_CONFIGURATION, BY_LAYER, Line, defying
from harness.compare.lines import lines as lines_of
from harness.compare.machines import Result, against


def exactly(latency_s: float, spread: float = 1.0, **changes: object) -> dict[str, object]:
    """A row whose interval goes from the latency over the spread to the latency times it."""
    ends = {"latency_low_s": latency_s / spread, "latency_high_s": latency_s * spread}
    return row(latency_s, **ends, **changes)


def lines(compared: pd.DataFrame, by: Sequence[str]) -> list[Line]:
    return lines_of(compare.records(compared[compared["common"]]), by)


def one(base: Result, *others: Result) -> Line:
    (line,) = lines(against(base, others), BY_LAYER)
    return line


def test_a_mean_is_over_the_cases_that_every_machine_measured() -> None:
    base = box("a", [row(1e-3, batch=b) for b in (1, 2, 4, 8)])
    other = box("b", [row(s, batch=b) for b, s in ((1, 2e-3), (2, 8e-3), (4, 9.0), (8, 9.0))])
    third = box("c", [row(1e-3, batch=1), row(4e-3, batch=2), row(batch=4, status="oom")])
    by_machine = {
        line.value("machine"): line for line in lines(against(base, [other, third]), BY_LAYER)
    }
    assert {name: len(line.cases) for name, line in by_machine.items()} == {"b": 2, "c": 2}
    assert by_machine["b"].ratio.value == pytest.approx(4.0)
    assert by_machine["c"].ratio.value == pytest.approx(2.0)


def test_lines_go_from_the_slowest_layer_to_the_fastest() -> None:
    times = {"dense": 1e-3, "lstm": 3e-3, "gru": 2e-3}
    base = box("a", [row(1e-3, layer=layer) for layer in times])
    other = box("b", [row(seconds, layer=layer) for layer, seconds in times.items()])
    assert [line.value("layer") for line in lines(against(base, [other]), BY_LAYER)] == [
        "lstm",
        "gru",
        "dense",
    ]


def test_devices_are_never_in_one_mean_and_configurations_only_if_asked_for() -> None:
    rows = [row(device=d, framework=f) for d in ("cpu", "cuda") for f in ("torch", "tensorflow")]
    compared = against(box("a", rows), [box("b", rows)])
    assert [len(line.cases) for line in lines(compared, BY_LAYER)] == [2, 2]
    assert [len(line.cases) for line in lines(compared, BY_CONFIGURATION)] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("latency_s", "spread", "defies"),
    [
        (0.1e-3, 1.0, False),
        (0.1e-3 * BAND * 1.01, 1.0, True),
        (0.1e-3 * BAND * 0.99, 1.0, False),
        (0.1e-3 / BAND / 1.01, 1.0, True),
        (0.1e-3 / BAND / 0.99, 1.0, False),
        (0.1e-3 * BAND * 1.2, 1.1, True),
        (0.1e-3 * BAND * 1.2, 1.3, False),
    ],
)
def test_a_layer_defies_only_with_its_whole_interval(
    latency_s: float, spread: float, defies: bool
) -> None:
    other = box("b", [exactly(latency_s, spread)], flop_per_s=1e12)
    line = one(box("a", [exactly(1e-3)]), other)
    assert line.expectation is not None
    assert line.expectation.ratio == pytest.approx(0.1)
    assert line.expectation.missed_by.value == pytest.approx(latency_s / 1e-4)
    assert line.defies is defies


def test_an_expectation_is_held_against_the_cases_that_it_is_of() -> None:
    base = box("a", [row(1e-3, batch=1), row(1e-3, batch=2, bound="")])
    other = box("b", [row(2e-3, batch=1), row(32e-3, batch=2)])
    line = one(base, other)
    assert line.ratio.value == pytest.approx(8.0)
    assert line.expectation is not None
    assert (line.expectation.cases, line.expectation.ratio) == (1, pytest.approx(1.0))
    assert line.expectation.measured.value == pytest.approx(2.0)


def test_without_an_expectation_nothing_is_defied() -> None:
    line = one(box("a", [row(1e-3, bound="")]), box("b", [row(9.0)]))
    assert line.expectation is None
    assert not line.defies


def test_the_largest_miss_comes_first_whichever_way_it_is() -> None:
    times = {"dense": 1e-3, "lstm": 2e-3, "gru": 0.1e-3}
    base = box("a", [exactly(1e-3, layer=layer) for layer in times])
    other = box("b", [exactly(seconds, layer=layer) for layer, seconds in times.items()])
    found = defying(lines(against(base, [other]), BY_CONFIGURATION))
    assert [line.value("layer") for line in found] == ["gru", "lstm"]


def test_shares_of_the_roofline_are_of_the_cases_that_have_both() -> None:
    base = box("a", [row(batch=b, roofline_fraction=f) for b, f in ((1, 0.2), (2, 0.8), (4, 0.9))])
    shares = ((1, 0.1), (2, 0.4), (4, NAN))
    other = box("b", [row(batch=b, roofline_fraction=f) for b, f in shares])
    assert one(base, other).rooflines == (pytest.approx(0.4), pytest.approx(0.2))


def test_shares_that_nobody_measured_are_none() -> None:
    bare = [row(roofline_fraction=NAN)]
    assert one(box("a", bare), box("b", bare)).rooflines is None


def test_bounds_are_counted_on_either_side() -> None:
    base = box("a", [row(batch=1, bound="overhead"), row(batch=2), row(batch=4, bound="")])
    other = box("b", [row(batch=b, bound="memory") for b in (1, 2, 4)])
    before, after = one(base, other).bounds
    assert before == {"overhead": 1, "compute": 1, "": 1}
    assert after == {"memory": 3}
