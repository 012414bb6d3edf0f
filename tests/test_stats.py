"""Intervals hold what they promise; simulated with fixed seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness import stats
from harness.stats import Interval


def test_the_order_statistic_interval_is_that_of_the_tables() -> None:
    # Conover, table A3: for n = 10 ranks 2 and 9, for n = 30 ranks 10 and 21.
    assert stats.median_interval(range(1, 11)) == Interval(5.5, 2, 9)
    assert stats.median_interval(range(1, 31)) == Interval(15.5, 10, 21)


@pytest.mark.parametrize("shape", ["normal", "lognormal", "bimodal"])
def test_the_median_interval_contains_the_median_in_95_percent(shape: str) -> None:
    rng = np.random.default_rng(1)
    draw = {
        "normal": lambda: rng.normal(10, 1, 40),
        "lognormal": lambda: rng.lognormal(0, 1, 40),
        "bimodal": lambda: rng.normal(10, 1, 40) + 5 * (rng.random(40) < 0.3),
    }[shape]
    truth = float(np.median([np.median(draw()) for _ in range(4000)]))
    hits = [not stats.median_interval(draw().tolist()).excludes(truth) for _ in range(2000)]
    assert 0.93 <= np.mean(hits) <= 0.985


def test_the_range_stands_in_where_no_interval_reaches_95_percent() -> None:
    assert stats.median_interval([3, 1, 2]) == Interval(2, 1, 3)
    with pytest.raises(ValueError, match="no samples"):
        stats.median_interval([])


def exact(*medians: float) -> list[Interval]:
    """Passes whose own medians are known exactly."""
    return [Interval(median, median, median) for median in medians]


@pytest.mark.parametrize("passes", [1, 2, 3, 5, 10])
@pytest.mark.parametrize("sd", [0.01, 0.03, 0.05])
def test_the_pass_interval_covers_what_processes_differ_by(passes: int, sd: float) -> None:
    rng = np.random.default_rng(2)
    hits = [
        not stats.pass_interval(exact(*np.exp(rng.normal(0, sd, passes)))).excludes(1.0)
        for _ in range(2000)
    ]
    assert np.mean(hits) >= 0.9


def test_each_pass_that_agrees_narrows_the_interval() -> None:
    widths = [stats.pass_interval(exact(*[1.0] * n)).relative_half_width for n in range(1, 12)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] < 0.1


@pytest.mark.parametrize("passes", [1, 3])
def test_noise_within_a_pass_widens_it_from_the_first_pass_on(passes: int) -> None:
    known = stats.pass_interval(exact(*[1.0] * passes))
    vague = stats.pass_interval([Interval(1.0, 0.5, 2.0)] * passes)
    assert math.log(vague.high) > 3 * math.log(known.high)


@pytest.mark.parametrize("passes", [1, 2, 3, 5])
def test_it_covers_the_truth_when_noise_within_passes_prevails(passes: int) -> None:
    rng = np.random.default_rng(3)

    def found() -> Interval:
        return stats.pass_interval(
            [stats.median_interval(rng.lognormal(0, 1, 30).tolist()) for _ in range(passes)]
        )

    assert np.mean([not found().excludes(1.0) for _ in range(1000)]) >= 0.93


def test_passes_that_differ_widen_it() -> None:
    agree, differ = stats.pass_interval(exact(1, 1, 1)), stats.pass_interval(exact(0.8, 1, 1.25))
    assert differ.relative_half_width > 3 * agree.relative_half_width
    assert differ.value == pytest.approx(1.0)


def test_one_disturbed_pass_does_not_move_the_estimate() -> None:
    assert stats.pass_interval(exact(1, 1.01, 3)).value == pytest.approx(1.01)


def test_a_time_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        stats.pass_interval(exact(1, 0))


def test_a_ratio_has_the_widths_of_both_sides() -> None:
    ratio = stats.ratio_interval(Interval(2, 2 / 1.1, 2 * 1.1), Interval(1, 1 / 1.1, 1.1))
    assert ratio.value == pytest.approx(2)
    assert math.log(ratio.high / 2) == pytest.approx(math.sqrt(2) * math.log(1.1))
    assert math.log(2 / ratio.low) == pytest.approx(math.sqrt(2) * math.log(1.1))


def test_a_difference_has_the_widths_of_both_sides() -> None:
    # A triangle of 3, 4 and 5 below, one of 5, 12 and 13 above.
    difference = stats.difference_interval(Interval(100, 97, 105), Interval(60, 48, 64))
    assert difference == Interval(40, 35, 53)


def test_the_interval_of_a_difference_contains_it_in_95_percent() -> None:
    rng = np.random.default_rng(5)
    half = stats.NORMAL_97_5 * np.asarray([1.0, 3.0])
    hits = 0
    for drawn in rng.normal([20, 15], [1, 3], (4000, 2)):
        one, other = (Interval(v, v - h, v + h) for v, h in zip(drawn, half, strict=True))
        hits += not stats.difference_interval(one, other).excludes(5)
    assert hits / 4000 == pytest.approx(0.95, abs=0.01)


def test_geometric_mean() -> None:
    assert stats.geometric_mean([1, 4]) == pytest.approx(2)
    assert math.isnan(stats.geometric_mean([]))


def test_passes_disagree_by_the_distribution_that_their_prior_gives() -> None:
    rng = np.random.default_rng(4)
    weight = stats.PROCESS_SD_WEIGHT
    chances = []
    for _ in range(4000):
        sd = stats.PROCESS_SD * math.sqrt(weight / rng.chisquare(weight))
        chances.append(stats.pass_agreement(exact(*np.exp(rng.normal(0, sd, 3)))))
    for chance in (0.01, 0.1, 0.5):
        assert np.mean(np.asarray(chances) < chance) == pytest.approx(chance, abs=0.02)
    assert stats.pass_agreement(exact(1.0)) == 1.0


def test_the_trend_score_is_mann_kendalls() -> None:
    # Of 5 samples 9 pairs rise and 1 falls: S = 8, var = 5·4·15/18, one less for continuity.
    assert stats.trend_score([1, 2, 4, 3, 5]) == pytest.approx(7 / math.sqrt(50 / 3))
    assert stats.trend_score([5, 3, 4, 2, 1]) == pytest.approx(-7 / math.sqrt(50 / 3))
    assert stats.trend_score([1.0] * 100) == 0
    assert stats.trend_score([2.0, 1.0]) == 0


def test_a_wild_sample_is_no_trend() -> None:
    steady = np.random.default_rng(5).normal(1, 0.01, 300)
    wild = steady.copy()
    wild[-3:] = 50
    assert abs(stats.trend_score(wild)) < 2.81


def test_samples_that_follow_each_other_alike_tell_less() -> None:
    rng = np.random.default_rng(4)
    steps = rng.standard_normal(400)
    path = np.zeros(400)
    for index in range(1, 400):
        path[index] = 0.8 * path[index - 1] + steps[index]
    series = (10 + path).tolist()
    shuffled = rng.permutation(series).tolist()
    as_taken, mixed = stats.series_interval(series), stats.series_interval(shuffled)
    assert as_taken.value == mixed.value
    assert as_taken.relative_half_width > 1.8 * mixed.relative_half_width


def test_a_series_is_never_surer_than_independent_samples() -> None:
    alternating = [1.0, 2.0] * 30
    assert stats.series_interval(alternating) == stats.median_interval(alternating)
    assert stats.series_interval([1.0] * 30) == Interval(1, 1, 1)
    assert stats.series_interval([3, 1, 2]) == Interval(2, 1, 3)
