"""Clocks that are bent, machines that are suspended, and processes that are stopped

Workers are real ones of the fake framework, whose clock goes as a layer says.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fake_runs import SUITE, request

from harness import runner, store
from harness.devices.watch import Watch
from harness.runner.deadline import LOOK_S, Deadline

CLOCK = "the clock went backward, stood still or gave no number; measure again"
A_CASE = "{}/fake/cpu/forward/eager/float32/b2-{}"
FAULTS = {
    A_CASE.format("bent_clock", f"kind={kind}-at={at}"): ("error", CLOCK)
    for kind, at in (
        *(("no_number", 40), ("infinite", 40), ("backward", 40), ("still", 40)),
        ("backward", 1),
    )
}
FAULTS |= {
    A_CASE.format("lying", f"kind={kind}"): ("crashed", said)
    for kind, said in {
        "nothing": "wall_s is missing",
        "few": "wall_s is '[]'",
        "text": "wall_s is \"['fast']\"",
        "list": '[{"wall_s": [',
        "status": '{"status": "splendid"',
    }.items()
}
SOUND = A_CASE.format("scale", "us=20")
DISCARDED = "Error, with the advice to measure again; the worker is replaced"
REFUSED = "Crashed, with the part of the answer that cannot be; the worker is replaced"


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """One run of all layers that bend their clock or change what their worker says."""
    plan = runner.make_plan(request(layers=None, cases=[*FAULTS, SOUND]))
    record = runner.begin(plan, tmp_path_factory.mktemp("results"), "test")
    runner.execute(record, plan.layers, lambda event: None)
    return store.load(record.folder).set_index("case_id")


def _fault(what: str, outcome: str, case: str) -> Any:
    return pytest.param(case, marks=pytest.mark.fault(what, outcome), id=case.rpartition("/")[2])


@pytest.mark.parametrize(
    "case",
    [
        _fault(what, DISCARDED if "bent" in case else REFUSED, case)
        for what, case in zip(
            (
                "A block takes NaN seconds by the clock",
                "A block takes infinitely long by the clock",
                "The clock steps backward during a block",
                "The clock stands still during a block",
                "The clock steps backward during the first call",
                "The worker answers without samples",
                "The worker answers with fewer samples than it was asked for",
                "The worker answers with text in place of times",
                "The worker answers with a list in place of an object",
                "The worker answers with a status that does not exist",
            ),
            FAULTS,
            strict=True,
        )
    ],
)
def test_what_no_clock_can_have_read_costs_its_own_row(ended: pd.DataFrame, case: str) -> None:
    status, reason = FAULTS[case]
    row = ended.loc[case]
    assert row["status"] == status
    assert reason in row["reason"]
    assert status == "error" or row["reason"].startswith("the worker answered with garbage: ")
    assert row["samples"] == 0
    assert ended.loc[SOUND, "status"] == "ok"


@pytest.mark.fault(
    "The machine is suspended during a request for samples",
    "The watch tells for how long, by the clock that goes on meanwhile",
)
def test_a_suspended_machine_is_told_by_the_clock_that_goes_on_meanwhile() -> None:
    slept = iter([100.0, 130.5])
    assert Watch(1, asleep=lambda: next(slept))()()["suspended"] == 30.5


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is stopped so here")
@pytest.mark.fault(
    "The worker is stopped by SIGSTOP and goes on",
    "The watch tells how often, and the samples are marked",
)
def test_a_process_that_was_stopped_can_tell() -> None:
    told = (
        "from harness.devices.watch import Watch\n"
        "told = Watch(1)()\n"
        "print('watching', flush=True)\n"
        "input()\n"
        "print(told()['stopped'])\n"
    )
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", told], **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "watching\n"
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        process.send_signal(signal.SIGCONT)
        assert process.communicate("\n")[0] == "1\n"


def test_a_time_limit_runs_out_with_the_time() -> None:
    now = iter([0.0, *(LOOK_S * tick for tick in (0.5, 1.5, 3.5))])
    deadline = Deadline(3 * LOOK_S, lambda: next(now))
    assert [deadline.left_s() > 0 for _ in range(3)] == [True, True, False]


def test_a_time_limit_does_not_run_out_while_the_parent_is_stopped() -> None:
    now = iter([0.0, 0.5, 3600.0, 3600.0 + LOOK_S])
    deadline = Deadline(3 * LOOK_S, lambda: next(now))
    assert [deadline.left_s() > 0 for _ in range(3)] == [True, True, True]


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is stopped so here")
@pytest.mark.fault(
    "The parent is stopped (Ctrl-Z) for longer than a case may take, and goes on",
    "The case is measured; its time limit did not run out",
)
def test_a_parent_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "harness", "run", "--suite", SUITE, "--layer", "napping"),
        *("--framework", "fake", "--mode", "forward", "--execution", "eager", "--batch", "2"),
        *("--passes", "1", "--sample-time", "50ms", "--timeout", "2s"),
        *("--results", str(tmp_path / "results")),
    ]
    environment = {**os.environ, "FAKE_SUITE_FOLDER": str(tmp_path)}
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    while not (tmp_path / "napping").exists():
        assert run.poll() is None, "the run ended before it could be stopped"
        time.sleep(0.01)
    run.send_signal(signal.SIGSTOP)
    time.sleep(2 * LOOK_S + 0.5)
    run.send_signal(signal.SIGCONT)
    assert run.wait() == 0
    assert store.load(tmp_path / "results")["status"].tolist() == ["ok"]
