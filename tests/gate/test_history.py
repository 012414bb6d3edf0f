"""From stored runs to histories: in order, each machine by itself, and the exit status."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fake_runs import request
from frames import frame
from histories import noise, stored

from harness import runner, store
from harness.gate import history
from harness.gate.history import histories

SLOWER = np.where(np.arange(20) >= 10, 0.15, 0.0)


def test_runs_are_put_in_the_order_in_which_they_started() -> None:
    table, runs = stored([noise(20) + SLOWER])
    shuffled = table.sample(frac=1, random_state=3)
    (found,) = histories(shuffled, runs[::-1])
    (case,) = found.cases
    assert case.runs == tuple(f"run-{day}" for day in range(20))
    (change,) = case.changes
    assert case.runs[change.at] == "run-10"
    assert [run["run_id"] for run in found.runs] == list(case.runs)


def test_machines_are_never_mixed() -> None:
    fast, fast_runs = stored([noise(20)], "fast")
    slow, slow_runs = stored([noise(20, seed=1) + 1.0], "slow")  # with runs of the same names
    found = histories(pd.concat([fast, slow], ignore_index=True), [*fast_runs, *slow_runs])
    assert [each.machine_id for each in found] == ["fast", "slow"]
    levels = [each.cases[0].latencies[0].value for each in found]
    assert levels == [fast["latency_s"][0], slow["latency_s"][0]]
    assert not any(case.changes for each in found for case in each.cases)
    assert history.exit_status(found) == 0


def test_a_run_that_failed_leaves_a_gap_and_is_told_if_it_was_the_last() -> None:
    table, runs = stored([noise(20) + SLOWER])
    for day in (4, 19):
        failed = {"status": "crashed", "reason": "signal 11", "latency_s": np.nan}
        table.loc[day, list(failed)] = list(failed.values())
    (case,) = histories(table, runs)[0].cases
    assert len(case.runs) == 18
    assert case.runs[case.changes[0].at] == "run-10"
    assert case.failed == "crashed: signal 11"


def test_a_case_that_the_last_run_did_not_plan_has_not_failed() -> None:
    table, runs = stored([noise(20), noise(15, seed=1)])
    assert [case.failed for case in histories(table, runs)[0].cases] == ["", ""]


def test_the_same_run_given_twice_counts_once() -> None:
    table, runs = stored([noise(20)])
    (found,) = histories(pd.concat([table, table], ignore_index=True), [*runs, *runs])
    assert len(found.runs) == 20
    assert len(found.cases[0].runs) == 20


def test_a_run_of_which_nothing_is_known_is_left_out() -> None:
    table, runs = stored([noise(20)])
    assert len(histories(table, [{}, *runs[:12]])[0].cases[0].runs) == 12
    assert histories(table, []) == []
    assert histories(frame([]), []) == []


def test_a_case_with_few_runs_is_not_testable_beside_one_with_many() -> None:
    table, runs = stored([noise(20), noise(7, seed=1)])
    (found,) = histories(table, runs)
    assert [case.testable for case in found.cases] == [True, False]
    assert found.asked == 2


@pytest.mark.parametrize(
    ("logs", "status"),
    [
        (noise(20), 0),
        (noise(20) + SLOWER, 1),
        (noise(20) - SLOWER, 0),
        (noise(20) + np.where((np.arange(20) >= 6) & (np.arange(20) < 13), 0.2, 0.0), 0),
        (noise(8) + SLOWER[6:14], 4),
        (noise(2), 4),
    ],
    ids=["flat", "slower", "faster", "recovered", "too few to tell", "no history"],
)
def test_exit_status(logs: np.ndarray, status: int) -> None:
    assert history.exit_status(histories(*stored([logs]))) == status


def test_nothing_at_all_is_no_pass() -> None:
    assert history.exit_status([]) == 4


def test_stored_runs_are_read_as_they_were_written(tmp_path: object) -> None:
    plan = runner.make_plan(request(axes={"batch": [1, 2]}, sample_s=0.01))
    for number in range(3):
        record = runner.begin(plan, tmp_path / str(number), "layerbench run")  # type: ignore[operator]
        runner.execute(record, dict(plan.layers), lambda event: None)
    (found,) = histories(store.load(tmp_path), store.load_runs(tmp_path))  # type: ignore[arg-type]
    assert [len(case.runs) for case in found.cases] == [3, 3]
    assert list(found.cases[0].runs) == [run["run_id"] for run in found.runs]
    assert history.exit_status([found]) == 4


def test_a_long_history_is_of_the_last_runs_of_each_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "MOST_RUNS", 20)
    early = np.where(np.arange(50) >= 15, 0.5, 0.0)  # before the last 20
    late = np.where(np.arange(50) >= 40, 0.15, 0.0)
    long, long_runs = stored([noise(50) + early, noise(50, seed=1) + late])
    short, short_runs = stored([noise(12, seed=2)], "other", "other")
    table = pd.concat([long, short], ignore_index=True)
    found = {one.machine_id: one for one in histories(table, [*long_runs, *short_runs])}
    assert {name: (len(one.runs), one.earlier) for name, one in found.items()} == {
        "box": (20, 30),
        "other": (12, 0),
    }
    steady, slower = found["box"].cases
    assert steady.runs == tuple(f"run-{day}" for day in range(30, 50))
    assert steady.changes == ()
    (change,) = slower.changes
    assert slower.runs[change.at] == "run-40"
