"""Cases of a layer together: means over common cases only, and what defies the ceilings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from boxes import box
from frames import NAN, row

from harness import compare
from harness.compare.lines import (
    BY_CONFIGURATION,
    BY_LAYER,
    EXACT,
    FEWEST,
    FURTHER,
    Line,
    defying,
    usual,
)
from harness.compare.lines import lines as lines_of
from harness.compare.machines import Result, against
from harness.stats import share_interval


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


def missing(misses: Mapping[str, float], spread: float = 1.0) -> list[Line]:
    """A line a layer, that takes so many times as long as the ceilings of a second machine allow.

    That one has ten times the rate of the first, where all took 1 ms.
    """
    base = box("a", [exactly(1e-3, layer=layer) for layer in misses])
    rows = [exactly(1e-4 * miss, spread, layer=layer) for layer, miss in misses.items()]
    return lines(against(base, [box("b", rows, flop_per_s=1e12)]), BY_CONFIGURATION)


def named(found: Iterable[Line]) -> list[str]:
    return [line.value("layer") for line in found]


MIDDLE = 1.2
AROUND = {f"layer{index}": MIDDLE ** (-1) ** index for index in range(8)}
BAND = MIDDLE**FURTHER


@pytest.mark.parametrize(
    ("miss", "spread", "defies"),
    [
        (1.0, 1.0, False),
        (BAND * 1.01, 1.0, True),
        (BAND * 0.99, 1.0, False),
        (1 / BAND / 1.01, 1.0, True),
        (1 / BAND / 0.99, 1.0, False),
        (BAND * 1.2, 1.1, True),
        (BAND * 1.2, 1.3, False),
    ],
)
def test_a_layer_defies_only_with_its_whole_interval(
    miss: float, spread: float, defies: bool
) -> None:
    found = missing({**AROUND, "dense": miss}, spread)
    (known,) = usual(found)
    assert (known.machine, known.device) == ("b", "cpu")
    assert known.miss == pytest.approx(MIDDLE)
    (line,) = (line for line in found if line.value("layer") == "dense")
    assert line.expectation is not None
    assert line.expectation.ratio == pytest.approx(0.1)
    assert line.expectation.missed_by.value == pytest.approx(miss)
    assert named(defying(found)) == ["dense"] * defies


def test_of_misses_that_are_normal_one_in_23_defies() -> None:
    logs = np.random.default_rng(5).normal(0, 0.4, 1000)
    found = defying(missing({f"layer{i}": float(np.exp(log)) for i, log in enumerate(logs)}))
    low, high = share_interval(len(found), len(logs))
    assert low < 1 / 23 < high


def test_less_than_half_of_the_layers_do_not_hide_themselves() -> None:
    far = {f"far{index}": 10.0 for index in range(7)}
    assert set(named(defying(missing({**AROUND, **far})))) == set(far)


def test_where_nearly_all_are_as_expected_the_ceilings_own_error_is_no_miss() -> None:
    same = {f"layer{index}": 1.0 for index in range(8)}
    near, far = {"near": EXACT * 0.99}, {"far": EXACT * 1.01}
    assert named(defying(missing({**same, **near, **far}))) == ["far"]


def test_of_few_layers_none_defies_as_nobody_knows_what_is_usual() -> None:
    few = {f"layer{index}": 1.0 for index in range(FEWEST - 2)}
    assert usual(missing({**few, "dense": 9.0})) == []
    assert defying(missing({**few, "dense": 9.0})) == []
    assert named(defying(missing({**few, "dense": 9.0, "lstm": 1.0}))) == ["dense"]


def test_what_is_usual_is_so_on_one_machine() -> None:
    layers = [f"layer{index}" for index in range(FEWEST)]
    base = box("a", [exactly(1e-3, layer=layer) for layer in layers])
    exact = box("exact", [exactly(1e-3, layer=layer) for layer in layers])
    loose = box("loose", [exactly(2e-3, layer=layer) for layer in layers])
    known = usual(lines(against(base, [exact, loose]), BY_CONFIGURATION))
    assert {one.machine: one.band for one in known} == {
        "exact": pytest.approx(EXACT),
        "loose": pytest.approx(2.0**FURTHER),
    }


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
    assert defying([line] * FEWEST) == []


def test_the_largest_miss_comes_first_whichever_way_it_is() -> None:
    found = missing({**AROUND, "lstm": 2.0, "gru": 0.1})
    assert named(defying(found)) == ["gru", "lstm"]


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
