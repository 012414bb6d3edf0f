"""The simulation asks the real search, and tells a search that is wrong too often."""

from __future__ import annotations

import pytest

from harness.gate import changes
from harness.stats import share_interval
from harness.verify import __main__, history
from harness.verify.row import Verdict, share


@pytest.mark.parametrize("name", history.INDEPENDENT)
def test_flat_series_show_a_change_no_more_often_than_stated(name: str) -> None:
    false, _ = history.false_changes(history.INDEPENDENT[name], 20, 1, 300)
    assert share_interval(false, 300)[0] <= changes.ERROR_RATE


def test_a_flat_history_of_many_cases_likewise() -> None:
    false, large = history.false_changes(history.INDEPENDENT["normal"], 20, history.CASES, 100)
    assert share_interval(false, 100)[0] <= changes.ERROR_RATE
    assert large <= false


def test_without_a_correction_for_the_cases_it_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    corrected = changes.find

    def uncorrected(histories, *settings):  # type: ignore[no-untyped-def]
        return [corrected([series], *settings)[0] for series in histories]

    monkeypatch.setattr(changes, "find", uncorrected)
    false, _ = history.false_changes(history.INDEPENDENT["normal"], 20, history.CASES, 60)
    row = history._judged("flat", (false, 0), 60, "normal")
    assert row.verdict is Verdict.FAILS


def test_steps_of_twice_the_threshold_are_found_and_smaller_ones_are_not() -> None:
    found, covered = history.power(0.1, 0.01, 20, 60)
    assert found >= 57
    assert covered >= 0.9 * found
    assert history.power(0.02, 0.01, 20, 60)[0] == 0


def test_noise_that_depends_is_noted_and_never_judged() -> None:
    assert history._judged("flat", (90, 1), 100, "AR(1), 0.6").verdict is Verdict.NOTED
    assert history._judged("flat", (90, 1), 100, "normal").verdict is Verdict.FAILS


def test_shares_come_with_exact_bounds() -> None:
    assert share(0, 100) == "0 of 100: 0.0% (0.0–3.6)"
    assert share(100, 100) == "100 of 100: 100.0% (96.4–100.0)"
    assert share(10, 100) == "10 of 100: 10.0% (4.9–17.6)"


def test_the_proof_is_asked_for_by_name() -> None:
    assert "history" in __main__._ALL
    assert "history" not in __main__.PROOFS
