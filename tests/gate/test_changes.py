"""Where a level moved, and where none did."""

from __future__ import annotations

import numpy as np
import pytest
from histories import noise, series

from harness.gate import changes
from harness.gate.changes import Change, find
from harness.gate.divisions import FEWEST


def one(logs: np.ndarray, threshold: float = 0.05) -> list[Change]:
    return find([series(logs)], threshold)[0]


def step(runs: int, at: int, by: float) -> np.ndarray:
    return np.where(np.arange(runs) >= at, by, 0.0)


class TestFound:
    @pytest.mark.parametrize("at", [4, 15, 26])
    def test_a_step_is_found_at_its_run_with_its_ratio(self, at: int) -> None:
        (change,) = one(noise(30, seed=1) + step(30, at, 0.15))
        assert change.at == at
        assert change.before == 0
        assert change.until == 30
        assert not change.ratio.excludes(np.exp(0.15))
        assert change.slower
        assert change.recovered is None
        assert not change.gradual
        assert change.p < 0.05

    def test_a_speedup_is_a_change_and_not_slower(self) -> None:
        (change,) = one(noise(30) + step(30, 12, -0.15))
        assert change.at == 12
        assert not change.slower

    def test_a_step_up_and_back_down_has_recovered(self) -> None:
        up, down = one(noise(30) + step(30, 10, 0.15) - step(30, 20, 0.15))
        assert (up.at, up.recovered) == (10, 20)
        assert (down.at, down.slower, down.recovered) == (20, False, None)

    def test_a_step_half_mended_has_not_recovered(self) -> None:
        up, down = one(noise(45) + step(45, 15, 0.2) - step(45, 30, 0.1))
        assert (up.at, down.at) == (15, 30)
        assert up.recovered is None

    def test_several_steps_are_each_found_against_the_level_before(self) -> None:
        logs = noise(60) + step(60, 15, 0.1) + step(60, 30, 0.1) + step(60, 45, 0.1)
        found = one(logs)
        assert [change.at for change in found] == [15, 30, 45]
        assert all(change.ratio.value == pytest.approx(np.exp(0.1), rel=0.01) for change in found)

    def test_steps_below_the_threshold_that_add_up_crept_there(self) -> None:
        (change,) = one(noise(60, 0.005) + step(60, 20, 0.03) + step(60, 40, 0.03))
        assert change.at == 40
        assert change.gradual
        assert change.ratio.value == pytest.approx(np.exp(0.06), rel=0.01)

    def test_a_drift_is_told_from_a_step(self) -> None:
        found = one(noise(60) + np.linspace(0, 0.2, 60))
        assert found
        assert all(change.gradual for change in found)

    def test_a_clear_step_of_figures_without_noise(self) -> None:
        (change,) = one(step(20, 10, 0.1))
        assert change.at == 10

    def test_one_case_among_many(self) -> None:
        flat = [series(noise(20, seed=seed)) for seed in range(11)]
        found = find([*flat, series(noise(20, seed=11) + step(20, 10, 0.15))])
        assert [bool(each) for each in found] == [*[False] * 11, True]

    def test_wild_runs_do_not_hide_a_step(self) -> None:
        logs = noise(40) + step(40, 20, 0.1)
        logs[[5, 30]] += 1.0
        assert [change.at for change in one(logs)] == [20]


class TestNotFound:
    @pytest.mark.parametrize("at", [0, 3, 15, 28, 29])
    def test_a_single_wild_run_is_no_change(self, at: int) -> None:
        logs = noise(30)
        logs[at] += 1.0
        assert one(logs) == []

    def test_constant_figures(self) -> None:
        assert one(np.zeros(30)) == []

    def test_a_constant_with_one_other_figure(self) -> None:
        assert one(step(30, 29, 0.5)) == []

    def test_a_change_smaller_than_the_threshold(self) -> None:
        logs = noise(60, 0.005) + step(60, 30, 0.03)
        assert one(logs) == []
        assert len(one(logs, threshold=0.02)) == 1

    @pytest.mark.parametrize("runs", range(FEWEST + 1))
    def test_too_few_runs(self, runs: int) -> None:
        assert one(step(runs, runs // 2, 1.0)) == []

    def test_no_case(self) -> None:
        assert find([]) == []

    def test_fewer_runs_than_needed_never_show_even_the_largest_step(self) -> None:
        needed = changes.needed_runs(12)
        steps = [series(step(needed - 1, (needed - 1) // 2, 1.0))] * 12
        # all twelve, so that Holm's later levels cannot help
        assert find(steps) == [[]] * 12

    def test_the_runs_needed_are_enough(self) -> None:
        needed = changes.needed_runs(12)
        flat = [series(noise(needed, seed=seed)) for seed in range(11)]
        loud = series(noise(needed, seed=11) + step(needed, needed // 2, 1.0))
        assert len(find([*flat, loud])[11]) == 1


class TestRepeatable:
    def test_twice_the_same(self) -> None:
        histories = [series(noise(25, 0.03, seed) + step(25, 12, 0.06)) for seed in range(6)]
        assert find(histories) == find(histories)

    def test_the_order_of_cases_does_not_matter(self) -> None:
        histories = [series(noise(25, 0.03, seed) + step(25, 12, 0.06)) for seed in range(6)]
        assert find(histories[::-1]) == find(histories)[::-1]

    def test_the_unit_does_not_matter(self) -> None:
        logs = noise(25) + step(25, 12, 0.2)
        (small,) = find([series(logs, 1e-6)])[0]
        (large,) = find([series(logs, 10.0)])[0]
        assert small.at == large.at
        assert small.ratio.value == pytest.approx(large.ratio.value)


class TestWhatCanBeSeen:
    def test_more_cases_need_more_runs(self) -> None:
        needed = [changes.needed_runs(cases) for cases in (1, 12, 128)]
        assert needed == [9, 13, 16]

    def test_a_new_level_needs_runs_after_it(self) -> None:
        assert changes.runs_after(8, 12) is None
        assert changes.runs_after(13, 12) == 5
        assert changes.runs_after(50, 12) == 3

    def test_visible_is_none_where_nothing_could_be(self) -> None:
        needed = changes.needed_runs(12)
        assert changes.visible(series(noise(needed - 1)), [], 12) is None
        assert changes.visible(series(noise(needed)), [], 12) is not None

    def test_visible_grows_with_noise_and_shrinks_with_runs(self) -> None:
        def seen(runs: int, sd: float) -> float:
            found = changes.visible(series(noise(runs, sd, 3)), [], 1, threshold=0.001)
            assert found is not None
            return found

        assert seen(40, 0.01) < seen(40, 0.03)
        assert seen(80, 0.03) < seen(20, 0.03)

    def test_a_step_that_was_found_is_no_noise(self) -> None:
        logs = noise(40) + step(40, 20, 0.3)
        flat = changes.visible(series(noise(40)), [], 1)
        assert changes.visible(series(logs), one(logs), 1) == pytest.approx(flat, rel=0.05)

    @pytest.mark.parametrize("runs", [20, 50])
    def test_what_is_said_to_be_visible_is_found(self, runs: int) -> None:
        size = changes.visible(series(noise(runs, 0.02, 5)), [], 1)
        assert size is not None
        found = sum(
            bool(one(noise(runs, 0.02, seed) + step(runs, runs // 2, np.log1p(size))))
            for seed in range(100, 160)
        )
        assert found >= 54


def test_neighbours_that_are_alike_are_taken_for_less_evidence() -> None:
    """What a plain permutation test would call a change in half of such series."""
    rng = np.random.default_rng(4)
    false = 0
    for _ in range(60):
        path = rng.standard_normal(90)
        for index in range(1, 90):
            path[index] += 0.6 * path[index - 1]
        false += bool(one(0.02 * path[40:], threshold=1e-6))
    assert false <= 18
