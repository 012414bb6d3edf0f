"""What takes more memory than there is"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import accounts
import exit_status
import fake_runs
import pandas as pd
import pytest
from fake_runs import SUITE, request

from harness import runner, store
from harness.devices import cgroup, resident
from harness.runner import guard, workers
from harness.types import Case

Measured = Callable[..., pd.DataFrame]
MIB = 2**20
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a worker's memory")


@pytest.fixture(autouse=True)
def _settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_order: object) -> None:
    monkeypatch.setenv("FAKE_SUITE_FOLDER", str(tmp_path))


@pytest.mark.fault(
    "Inputs, weights and output beyond `--max-memory`",
    "`oom` with their size; no worker is started for it",
)
def test_what_cannot_fit_as_it_is_declared_is_not_run(measured: Measured) -> None:
    frame = measured(layers=("hoard",), axes={"seq": [1, 512]}, max_memory_bytes=400 * MIB)
    assert frame["status"].tolist() == ["ok", "oom"]
    assert frame["reason"][1] == (
        "not run: inputs, weights and output alone take 2.00 GiB, and a worker may take 400 MiB; "
        "`run --max-memory` allows more"
    )
    assert frame["framework_version"].tolist() == ["1.0", ""]


# ruff: noqa: E501 - a fault is a line
EXCEEDING = [
    ("half_a_gib", "Unable to allocate 512. MiB", "An allocation beyond `--max-memory`", "`oom` with the amount and the limit"),
    ("pieces", "MemoryError", "Memory taken to the last byte, in small pieces", "`oom` with the limit"),
    ("shared", "MiB with what it started, and was stopped", "Memory shared between processes beyond `--max-memory`", "`oom` with the amount and the limit: the worker is stopped"),
    ("children", "MiB with what it started, and was stopped", "Children that together hold more than `--max-memory`", "`oom` with the amount and the limit: worker and children are stopped"),
]  # fmt: skip


@pytest.fixture(scope="module")
def exceeded(
    tmp_path_factory: pytest.TempPathFactory, in_order: object
) -> tuple[list[str], dict[str, Any]]:
    """The cases in the order in which they were measured, and the row of each."""
    cases = []
    for number, (kind, *_) in enumerate(EXCEEDING):
        cases.append(f"fault/fake/cpu/forward/eager/float32/b2-kind={kind}-at=1")
        cases.append(f"scale/fake/cpu/forward/eager/float32/b2-us={number + 1}")
    folder = tmp_path_factory.mktemp("exceeded")
    frame = fake_runs.measured(folder, cases=cases, max_memory_bytes=300 * MIB)
    return cases, {row["case_id"]: row for row in frame.to_dict("records")}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        pytest.param(kind, reason, marks=pytest.mark.fault(what, outcome), id=kind)
        for kind, reason, what, outcome in EXCEEDING
    ],
)
@linux
def test_what_exceeds_the_limit_is_stopped(
    exceeded: tuple[list[str], dict[str, Any]], kind: str, reason: str
) -> None:
    cases, rows = exceeded
    case = f"fault/fake/cpu/forward/eager/float32/b2-kind={kind}-at=1"
    assert rows[case]["status"] == "oom", rows[case]["reason"]
    assert reason in rows[case]["reason"]
    assert rows[case]["reason"].endswith("(a worker may take 300 MiB)")
    assert rows[cases[cases.index(case) + 1]]["status"] == "ok"


@linux
def test_memory_that_processes_share_is_counted_once() -> None:
    code = (
        "import os, time\nheld = bytearray(os.urandom(2**20)) * 60\n"
        "for _ in range(3):\n    if os.fork() == 0:\n        time.sleep(60)\n"
        "print(flush=True)\ntime.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    try:
        assert resident.session_bytes(process.pid, 2**40) > 4 * 60 * MIB
        assert 60 * MIB < resident.session_bytes(process.pid, 0) < 100 * MIB
    finally:
        os.killpg(process.pid, 9)
        process.communicate()
    assert resident.session_bytes(process.pid, 0) == 0


def limited(**changes: Any) -> dict[str, Any]:
    """A layer that takes at most 21 positions, over batch sizes and lengths."""
    axes = {"seq": [8, 16, 32, 64], "batch": [1, 2, 4]}
    return {"layers": ("limited",), "axes": axes, "max_memory_bytes": 1024 * MIB, **changes}


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory, in_order: object) -> pd.DataFrame:
    return fake_runs.measured(tmp_path_factory.mktemp("series"), **limited())


TRIED = {(1, 32), (2, 16), (4, 8)}
"""Batch and length of those beyond it that have no smaller one beyond it."""


@pytest.mark.fault(
    "A case is out of memory", "`oom`; larger ones of its series are not run, and say so"
)
def test_larger_cases_of_a_series_that_ran_out_of_memory_are_not_run(series: pd.DataFrame) -> None:
    frame = series
    beyond = frame["batch"] * frame["seq"] > 21
    assert set(frame.loc[~beyond, "status"]) == {"ok"}
    assert set(frame.loc[beyond, "status"]) == {"oom"}
    reasons = frame[beyond].set_index(["batch", "seq"])["reason"].to_dict()
    assert {size for size, said in reasons.items() if "MemoryError" in said} == TRIED
    said = "not run: out of memory already at {}; `run --no-skip` tries it".format
    assert {size: reason for size, reason in reasons.items() if size not in TRIED} == {
        (1, 64): said("s32"),
        (2, 32): said("b1"),
        (2, 64): said("b1-s32"),
        (4, 16): said("b2"),
        (4, 32): said("b1"),
        (4, 64): said("b1-s32"),
    }


def test_whoever_insists_has_every_case_tried(measured: Measured) -> None:
    frame = measured(**limited(insist=True))
    assert frame["reason"].str.contains("MemoryError").sum() == 9
    assert not frame["reason"].str.contains("not run").any()


@pytest.mark.fault(
    "A run is stopped after a case was out of memory",
    "a resumed run skips what the whole one would, and measures the rest",
)
def test_a_resumed_run_skips_the_same_cases_and_none_twice(
    series: pd.DataFrame, tmp_path: Path
) -> None:
    plan = runner.make_plan(request(**limited()))
    run = runner.begin(plan, tmp_path / "again", "test")

    def stop(event: runner.Event) -> None:
        if event.measurement and event.measurement.status == "oom":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.execute(run, plan.layers, stop)
    assert (store.load(run.folder)["status"] == "interrupted").sum() == 9
    runner.execute(run, plan.layers, lambda event: None)
    accounts.check(run)
    again = store.load(run.folder)
    for column in ("status", "reason"):
        assert again[column].tolist() == series[column].tolist()
    journal = (run.folder / "journal.jsonl").read_text(encoding="utf-8")
    runner.execute(run, plan.layers, lambda event: None)
    assert (run.folder / "journal.jsonl").read_text(encoding="utf-8") == journal


@pytest.mark.fault(
    "A case that had come through is out of memory in pass 2",
    "its pass is missing, with a warning; larger ones that had come through are measured again",
)
def test_what_has_come_through_once_is_not_skipped(measured: Measured) -> None:
    frame = measured(
        layers=("later_fault",), axes={"batch": [2, 4]}, passes=2,
        params={"kind": ["memory_error"], "build": [5]},
    )  # fmt: skip
    assert frame["status"].tolist() == ["ok", "ok"]
    assert frame["passes"].tolist() == [1, 2]
    assert any("pass 2 is missing: oom" in warning for warning in frame["warnings"][0])


@pytest.mark.parametrize(
    ("other", "against"),
    [
        ("lstm/torch/cpu/train/eager/float32/b8-s64-units=4", True),
        ("lstm/torch/cpu/train/eager/float32/b8-s128-units=4", True),
        ("lstm/torch/cpu/train/eager/float32/b16-s64-units=4", True),
        ("lstm/torch/cpu/train/eager/float32/b4-s128-units=4", False),
        ("lstm/torch/cpu/train/eager/float32/b16-s32-units=4", False),
        ("lstm/torch/cpu/train/eager/float32/b16-s64-units=8", False),
        ("lstm/torch/cpu/train/eager/bfloat16/b16-s64-units=4", False),
        ("lstm/torch/cpu/forward/eager/float32/b16-s64-units=4", False),
        ("lstm/torch/cuda/train/eager/float32/b16-s64-units=4", False),
        ("gru/torch/cpu/train/eager/float32/b16-s64-units=4", False),
    ],
)
def test_a_series_differs_in_batch_and_length_only(other: str, against: bool) -> None:
    exhausted = guard.Exhausted()
    exhausted.add(Case.parse("lstm/torch/cpu/train/eager/float32/b8-s64-units=4"))
    assert bool(exhausted.reason_against(Case.parse(other))) == against


@pytest.mark.fault(
    "A container has less memory than the machine",
    "the limit is 85 % of what the container has left",
)
def test_the_limit_is_a_share_of_what_the_container_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = tmp_path / "sys/fs/cgroup/user.slice/run.scope"
    group.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    for path, text in {
        tmp_path / "proc/self/cgroup": "0::/user.slice/run.scope\n",
        tmp_path / "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        group / "memory.max": "max\n",
        group.parent / "memory.max": "1000000\n",
        group.parent / "memory.current": "600000\n",
        group.parent / "memory.stat": "inactive_file 100000\n",
    }.items():
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(cgroup, "limits", functools.partial(cgroup.limits, tmp_path))
    assert workers.memory_limit_bytes() == 425_000


def test_the_limit_is_kept_with_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed = [
        *("run", "--suite", SUITE, "--layer", "hoard", "--framework", "fake", "--passes", "1"),
        *("--execution", "eager", "--mode", "forward", "--batch", "1", "--seq", "512"),
        *("--results", str(tmp_path), "--max-memory", "400MiB", "--no-skip"),
    ]
    assert exit_status.of(typed) == 3
    (file,) = tmp_path.rglob("run.json")
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert (kept["max_memory_bytes"], kept["insist"]) == (400 * MIB, True)
    capsys.readouterr()
    again = ["run", "--resume", str(file.parent), "--suite", SUITE]
    assert exit_status.of(again) == 3
    assert exit_status.of([*again, "--max-memory", "1GiB"]) == 2
    assert "leave out --max-memory" in capsys.readouterr().err
    typed[-2] = "1000TiB"
    assert exit_status.of(typed) == 2
    assert "is more than this machine's" in capsys.readouterr().err
