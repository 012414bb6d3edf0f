"""A reading of memory tells two layers apart only by more than it may be off."""

from __future__ import annotations

import pytest

from harness.search.axis import pattern
from harness.search.pairs import LATENCY, MEMORY, Figures, Pair, curves
from harness.stats import Interval
from harness.types import Case

MIB = 2**20


def figures(peak: int | None, latency: float | None = 1.0) -> Figures:
    interval = Interval(latency, 0.95 * latency, 1.05 * latency) if latency else None
    return Figures(interval, peak, "VmHWM", "ok" if latency else "oom", "")


@pytest.mark.parametrize(
    ("a", "b", "lower"),
    [
        (100 * MIB, 90 * MIB, "B"),
        (100 * MIB, 98 * MIB, ""),
        (100 * MIB, 110 * MIB, "A"),
        (4 * MIB, 3 * MIB, ""),  # a mebibyte is not told apart
        (4 * MIB, 1 * MIB, "B"),
        (None, 100 * MIB, ""),
    ],
)
def test_memory_is_told_apart_beyond_the_margin_of_a_reading(
    a: int | None, b: int | None, lower: str
) -> None:
    (point,) = curves([Pair(16, figures(a), figures(b))])[MEMORY].points
    assert point.lower == lower


def test_a_failed_case_has_no_ratio_and_points_come_in_order() -> None:
    pairs = [Pair(64, figures(MIB), figures(None, None)), Pair(16, figures(MIB), figures(MIB, 2.0))]
    found = curves(pairs)
    assert [(p.value, p.ratio is None) for p in found[LATENCY].points] == [(16, False), (64, True)]
    assert found[LATENCY].points[0].lower == "A"
    assert found[LATENCY].noisy
    assert not found[MEMORY].noisy


def test_a_pattern_leaves_the_axis_open_and_nothing_else() -> None:
    case = Case.parse("lstm/torch/cpu/train/eager/float32/b32-s32-t32-b=32-kind=s32")
    assert pattern(case, "seq").endswith("/b32-s*-t32-b=32-kind=s32")
    assert pattern(case, "batch").endswith("/b*-s32-t32-b=32-kind=s32")
