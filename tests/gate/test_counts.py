"""Counts and peaks: judged without repetition."""

from __future__ import annotations

import pytest

from harness.gate.counts import findings
from harness.gate.outcome import Finding, Verdict
from harness.search.pairs import MEMORY_MARGIN_BYTES

MIB = 2.0**20


def _one(
    metric: str, base: float | None, head: float | None, threshold: float = 0.05
) -> Finding | None:
    found = list(findings({metric: base}, {metric: head}, threshold))
    assert len(found) <= 1
    return found[0] if found else None


def _verdict(
    metric: str, base: float | None, head: float | None, threshold: float = 0.05
) -> Verdict:
    found = _one(metric, base, head, threshold)
    assert found is not None
    return found.verdict


@pytest.mark.parametrize(
    ("base", "head", "threshold", "verdict"),
    [
        (100, 100, 0.0, Verdict.SAME),
        (100, 101, 0.0, Verdict.REGRESSION),
        (100, 99, 0.0, Verdict.IMPROVEMENT),
        (100, 104, 0.05, Verdict.SAME),
        (100, 106, 0.05, Verdict.REGRESSION),
        (106, 100, 0.05, Verdict.IMPROVEMENT),
        (0, 0, 0.0, Verdict.SAME),
        (0, 1, 0.05, Verdict.REGRESSION),
        (1, 0, 0.05, Verdict.IMPROVEMENT),
        (None, 5, 0.05, Verdict.NOT_COMPARED),
        (5, None, 0.05, Verdict.NOT_COMPARED),
    ],
)
def test_a_count_is_exact(
    base: float | None, head: float | None, threshold: float, verdict: Verdict
) -> None:
    assert _verdict("operators", base, head, threshold) is verdict


def test_a_figure_that_neither_side_has_is_no_finding() -> None:
    assert _one("kernels", None, None) is None
    assert not list(findings({}, {}, 0.05))


def test_from_zero_there_is_no_ratio() -> None:
    found = _one("operators", 0, 3)
    assert found is not None
    assert found.ratio is None
    assert found.visible is None


@pytest.mark.parametrize(
    ("base", "head", "verdict"),
    [
        (64 * MIB, 64 * MIB + MEMORY_MARGIN_BYTES, Verdict.SAME),
        (64 * MIB, 128 * MIB, Verdict.REGRESSION),
        (128 * MIB, 64 * MIB, Verdict.IMPROVEMENT),
        (None, MEMORY_MARGIN_BYTES / 2, Verdict.SAME),
        (None, 64 * MIB, Verdict.REGRESSION),
        (64 * MIB, None, Verdict.IMPROVEMENT),
    ],
)
def test_a_peak_may_be_off_by_its_margin_and_be_too_small_to_read(
    base: float | None, head: float | None, verdict: Verdict
) -> None:
    assert _verdict("peak_memory", base, head) is verdict


def test_a_threshold_of_0_does_not_blame_the_reading_of_a_peak() -> None:
    assert _verdict("peak_memory", 64 * MIB, 64 * MIB + MEMORY_MARGIN_BYTES / 2, 0.0) is (
        Verdict.SAME
    )
