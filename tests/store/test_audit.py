"""The checks of a row on noise of known kind: quiet where nothing is wrong, loud where it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from harness import stats
from harness.stats import Interval
from harness.store import audit, scaling
from harness.store.roofline import Roof, bound
from harness.types import Case, Measurement, Status

CASE = Case.parse("scale/fake/cpu/forward/eager/float32/b2-us=20")
PASSES, SAMPLES, PAIRS = 3, 60, 10
PROCESS_SD, BLOCK_SD = 0.03, 0.05
ROWS = 1000
FALSE_ALARMS, FOUND = 0.01, 0.95

Draw = Callable[[np.random.Generator, int], "np.ndarray"]


def _normal(rng: np.random.Generator, count: int) -> np.ndarray:
    return 1 + BLOCK_SD * rng.standard_normal(count)


def _lognormal(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.lognormal(0, 2 * BLOCK_SD, count)


NOISES = {"normal": _normal, "lognormal": _lognormal}


def attempts(
    rng: np.random.Generator,
    draw: Draw,
    *,
    passes: int = PASSES,
    level: Callable[[int], float] = lambda index: 1.0,
    step: float = 1.0,
    doubled: float = 1.0,
    device_share: float = 0.97,
) -> list[Measurement]:
    """The passes of a row of 1 ms; at ``step`` other than 1 its time changes half-way."""
    made = []
    for index in range(passes):
        here = 1e-3 * level(index) * rng.lognormal(0, PROCESS_SD)
        walls = here * draw(rng, SAMPLES) * np.where(np.arange(SAMPLES) < SAMPLES / 2, 1, step)
        made.append(
            Measurement(
                *(CASE, "latency", index, Status.OK, "2026-01-01"),
                samples_s=tuple(walls),
                device_samples_s=tuple(walls * device_share * (1 + 0.01 * rng.random(SAMPLES))),
                paired_samples_s=tuple(here * draw(rng, PAIRS)),
                doubled_samples_s=tuple(here * doubled * draw(rng, PAIRS)),
            )
        )
    return made


def flagged(
    check: Callable[[list[Measurement]], object], rows: Sequence[list[Measurement]]
) -> float:
    return sum(check(row) is not None for row in rows) / len(rows)


def _latency(row: Sequence[Measurement]) -> Interval:
    return stats.pass_interval([stats.median_interval(attempt.samples_s) for attempt in row])


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("passes", [1, 2, 3, 10])
def test_clean_noise_raises_an_alarm_in_less_than_one_row_of_a_hundred(
    noise: str, passes: int
) -> None:
    rng = np.random.default_rng([passes, *noise.encode()])
    rows = [attempts(rng, NOISES[noise], passes=passes) for _ in range(ROWS)]
    roof = Roof(compute_s=0.95e-3, traffic_s=0.0, call_s=0.0)
    shares = {
        "doubling": flagged(audit.doubling, rows),
        "device_time": flagged(audit.device_time, rows),
        "ceiling": flagged(lambda row: audit.ceiling(_latency(row).value, roof), rows),
        "trend": flagged(audit.trend, rows),
        "passes": flagged(audit.passes, rows),
        "growth": flagged(_growth_between_equals(rng, NOISES[noise]), rows),
    }
    assert set(shares) == set(audit.CHECKS)
    assert {name: share for name, share in shares.items() if share > FALSE_ALARMS} == {}


def _growth_between_equals(
    rng: np.random.Generator, draw: Draw
) -> Callable[[list[Measurement]], object]:
    """The check between a row and a larger one that takes as long and is not known to be bound."""

    def check(row: list[Measurement]) -> object:
        larger = attempts(rng, draw, passes=len(row))
        return _growth({2: _latency(row), 4: _latency(larger)})

    return check


def _growth(latency: dict[int, Interval], bounds: str = "") -> audit.Finding | None:
    cases = {replace(CASE, batch=batch): found for batch, found in latency.items()}
    pairs = scaling.pairs(cases)
    found = audit.growth(pairs, cases, dict.fromkeys(cases, bounds))
    return found.get(replace(CASE, batch=max(latency)))


FAULTS: dict[str, tuple[Callable[[list[Measurement]], object], dict[str, object]]] = {
    "a time that drops by a tenth half-way": (audit.trend, {"step": 0.9}),
    "a time that rises by a tenth half-way": (audit.trend, {"step": 1.1}),
    "iterations counted twice": (audit.doubling, {"doubled": 0.5}),
    "iterations multiplied twice": (audit.doubling, {"doubled": 2.0}),
    "two fifths of a block beside its calls": (audit.doubling, {"doubled": 0.8}),
    "a device busier than the host waits": (audit.device_time, {"device_share": 1.05}),
    "one pass at half the speed": (audit.passes, {"level": lambda index: 1 + (index == 1)}),
}


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_in_more_than_95_rows_of_a_hundred(noise: str, fault: str) -> None:
    check, planted = FAULTS[fault]
    rng = np.random.default_rng([*noise.encode(), *fault.encode()])
    rows = [attempts(rng, NOISES[noise], **planted) for _ in range(200)]  # type: ignore[arg-type]
    assert flagged(check, rows) > FOUND


def test_more_work_in_less_time_is_found_and_said_of_the_larger_row() -> None:
    slow, fast = Interval(1e-3, 0.96e-3, 1.04e-3), Interval(0.8e-3, 0.77e-3, 0.83e-3)
    found = _growth({2: slow, 4: fast})
    assert found is not None
    assert found.sentence.startswith("takes 20.0 % less time than at batch 2, at 2 times the work")
    assert _growth({2: fast, 4: slow}) is None
    assert _growth({2: slow, 4: fast}, bounds="overhead") is None


def test_neighbours_differ_in_one_size_only() -> None:
    texts = ("b1-s8", "b4-s8", "b2-s8", "b2-s64")
    cases = [Case.parse(f"sequence/fake/cpu/forward/eager/float32/{text}") for text in texts]
    assert [(p.axis, p.smaller.id[-5:], p.larger.id[-5:]) for p in scaling.pairs(cases)] == [
        ("batch", "b1-s8", "b2-s8"),
        ("batch", "b2-s8", "b4-s8"),
        ("seq", "b2-s8", "2-s64"),
    ]


def _shares(latencies_s: Sequence[float], work_s: Sequence[float]) -> list[float]:
    cases = [replace(CASE, batch=2**index) for index in range(len(latencies_s))]
    latency = {
        case: Interval(taken, taken / 1.04, taken * 1.04)
        for case, taken in zip(cases, latencies_s, strict=True)
    }
    roofs = {case: Roof(work, 0.0, 0.0) for case, work in zip(cases, work_s, strict=True)}
    shares = scaling.fixed_shares(scaling.pairs(cases), latency, roofs)
    return [shares.get(case, 0.0) for case in cases]


def test_the_fixed_part_of_a_time_is_what_does_not_grow_with_work() -> None:
    assert _shares([9e-6, 10e-6], [1e-6, 2e-6]) == pytest.approx([8 / 9, 0.8])
    assert _shares([1e-6, 2e-6], [1e-6, 2e-6]) == pytest.approx([0, 0])
    assert _shares([9e-6, 9.5e-6], [1e-6, 1.1e-6]) == [0, 0], "too little more work to tell"
    assert _shares([9e-6, 5e-6], [1e-6, 2e-6]) == [0, 0], "less time is a fault, no overhead"


@pytest.mark.parametrize(
    ("latency_s", "roof", "fixed_share", "expected"),
    [
        (1.0, None, 0.9, ""),
        (1e-5, Roof(1e-6, 2e-6, 3e-6), 0.0, "overhead"),  # 3.3 times the smallest call
        (1e-4, Roof(1e-6, 2e-6, 3e-6), 0.9, "overhead"),
        (1e-4, Roof(1e-6, 2e-6, 3e-6), 0.1, ""),  # at 2 % of any roof
        (1e-4, Roof(1e-6, 2e-5, 3e-6), 0.1, "memory"),
        (1e-4, Roof(3e-5, 2e-5, 3e-6), 0.1, "compute"),
        (1e-5, Roof(6e-6, 2e-6, 3e-6), 0.9, "compute"),  # its work alone needs most of the time
    ],
)
def test_a_row_is_bound_by_what_most_of_its_time_goes_to(
    latency_s: float, roof: Roof | None, fixed_share: float, expected: str
) -> None:
    assert bound(latency_s, roof, fixed_share) == expected


def test_a_disturbed_pass_of_three_is_no_trend_but_two_are() -> None:
    rng = np.random.default_rng(0)
    steady = attempts(rng, _normal)
    falling = attempts(rng, _normal, step=0.9)
    assert audit.trend([falling[0], *steady[1:]]) is None
    assert audit.trend([*falling[:2], steady[2]]) is not None
    rising = attempts(rng, _normal, step=1.1)
    assert audit.trend([falling[0], rising[1], steady[2]]) is None, "no common direction"


def test_a_small_trend_in_many_samples_is_none_that_hurts() -> None:
    walls = tuple(1e-3 * (1 + 1e-3 * index / 1000) for index in range(1000))
    row = [Measurement(CASE, "latency", 0, Status.OK, "2026-01-01", samples_s=walls)]
    assert stats.trend_score(walls) > audit.TREND_SCORE
    assert audit.trend(row) is None


def _paired(usual: Sequence[float], doubled: Sequence[float]) -> Measurement:
    blocks = {"paired_samples_s": tuple(usual), "doubled_samples_s": tuple(doubled)}
    return Measurement(CASE, "latency", 0, Status.OK, "2026-01-01", **blocks)


def test_too_few_pairs_are_no_verdict_and_a_journal_without_them_none_either() -> None:
    assert audit.doubling([_paired([1.0] * 5, [0.5] * 5)]) is None
    assert audit.doubling([_paired([1.0] * 6, [0.5] * 6)]) is not None
    old = _paired([], []).to_json()
    for name in ("paired_samples_s", "doubled_samples_s"):
        del old[name]
    assert audit.doubling([Measurement.from_json(old)]) is None


def test_longer_blocks_that_are_interrupted_more_often_are_no_fault() -> None:
    assert audit.doubling([_paired([1.0] * 10, [1.01, *[6.0] * 9])]) is None
    assert audit.doubling([_paired([1.0] * 10, [2.0, *[6.0] * 9])]) is not None
    interrupted, free = _paired([1.0] * 10, [6.0] * 10), _paired([1.0] * 10, [1.0] * 10)
    assert audit.doubling([interrupted, interrupted, free]) is None
