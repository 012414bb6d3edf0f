"""What a comparison along an axis comes to, in a sentence."""

from __future__ import annotations

from harness.report import crossover
from harness.search.crossing import Point
from harness.stats import Interval


def told(*ratios: Interval | None) -> str:
    points = [Point(10 * 2**index, ratio) for index, ratio in enumerate(ratios)]
    return crossover._no_change(points, "faster", "seq")


def test_where_no_ratio_is_certain_nothing_is_claimed_and_its_width_is_said() -> None:
    sentence = told(Interval(1.4, 0.5, 3.5), Interval(1.0, 0.9, 1.1))
    assert sentence.startswith("from seq = 10 to 20 it cannot be told which is faster")
    assert "by a factor of 3.5 at most" in sentence
    assert "no crossover" not in sentence


def test_points_without_figures_tell_nothing() -> None:
    assert "neither has a figure" in told(None, None)


def test_one_that_is_always_faster_has_no_crossover() -> None:
    assert "no crossover up to 20" in told(Interval(2, 1.5, 3), Interval(2, 1.5, 3))
