"""The simulation uses the real rule, and tells an interval that covers from one that does not."""

from __future__ import annotations

import numpy as np
import pytest

from harness import stats
from harness.verify import coverage
from harness.verify.row import Verdict


@pytest.mark.parametrize("name", coverage.NOISES)
def test_the_interval_of_a_pass_covers_whatever_the_noise(name: str) -> None:
    assert 0.9 <= coverage.within(coverage.NOISES[name], 200) <= 0.99


def test_a_drift_is_no_precision() -> None:
    assert coverage.drifting(200) >= 0.9


def test_the_interval_of_a_row_covers_what_processes_differ_by() -> None:
    assert coverage.across(coverage.NOISES["normal"], 150, None) >= 0.9


def test_an_interval_for_independent_samples_would_be_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stats, "series_interval", stats.median_interval)
    assert coverage.within(coverage.NOISES["AR(1), 0.8"], 200) < 0.7


def test_the_stopping_rule_is_the_one_of_real_runs() -> None:
    steady, _ = coverage.one_pass(np.full(coverage._blocks(), coverage.CALL_S))
    assert len(steady) == stats.ENOUGH_SAMPLES
    rng = np.random.default_rng(0)
    noise = coverage.CALL_S * np.exp(0.2 * rng.standard_normal(coverage._blocks()))
    noisy, before = coverage.one_pass(noise)
    assert len(noisy) == pytest.approx(300, rel=0.1)
    assert before > 0


@pytest.mark.parametrize(
    ("found", "verdict"), [(0.92, Verdict.FAILS), (0.95, Verdict.OK), (0.98, Verdict.FAILS)]
)
def test_too_wide_is_as_wrong_as_too_narrow(found: float, verdict: Verdict) -> None:
    assert coverage._judged("noise", found).verdict is verdict
    cautious = coverage._judged("noise", found, cautious=True)
    assert (cautious.verdict is Verdict.OK) == (found > 0.93)
