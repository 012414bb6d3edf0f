"""`layerbench regress` as typed: exit statuses, formats, and what an interruption leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import exit_status
import outcomes
import psutil
import pytest
from regress import repository

import harness
from harness.gate.outcome import Outcome, Verdict
from harness.report.gate import FORMATS

SIDES = ["--base", "before", "--suite", repository.LAYERS, "--framework", "fake"]
WHAT = [*SIDES, "--mode", "forward", "--execution", "eager", "--batch", "4", "--timeout", "20"]


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repository.make(tmp_path_factory.mktemp("gate") / "code")


@pytest.fixture(autouse=True)
def _inside(code: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    handlers = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.chdir(code)
    yield
    for name, handler in handlers.items():
        signal.signal(name, handler)


def _regress(*arguments: str, results: Path | None = None) -> int:
    where = ("--results", str(results)) if results else ()
    return exit_status.of(["regress", *arguments, *where])


def _stored(folder: Path, *cases: Any) -> list[str]:
    file = folder / "outcome.json"
    file.write_text(json.dumps(outcomes.outcome(*cases).to_json()), encoding="utf-8")
    return ["--from", str(file)]


def test_nothing_worse_is_0_and_every_format_goes_to_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = [f"--format={name}={tmp_path / 'new folder' / name}" for name in FORMATS]
    assert _regress(*WHAT, "--layer", "steady", *wanted, results=tmp_path) == 0
    assert "Nothing became worse in 1 case." in capsys.readouterr().out
    found = Outcome.from_text((tmp_path / "new folder" / "json").read_bytes())
    assert [case.verdict for case in found.cases] == [Verdict.SAME]
    for name in FORMATS.keys() - {"json"}:
        text = (tmp_path / "new folder" / name).read_text(encoding="utf-8")
        assert text == FORMATS[name](found), "the same as from the stored outcome"


def test_a_case_that_vanished_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _regress(*WHAT, "--layer", "removed", results=tmp_path) == 1
    assert "vanished" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--base is missing"),
        (["--base", ""], "the path is empty"),
        ([*WHAT, "--layer", "no_such"], "no_such"),
        ([*WHAT, "--format", "pdf"], "pdf"),
        ([*WHAT, "--format", "json="], "names no file"),
        ([*WHAT, "--format", "json", "--format", "junit"], "cannot both go to standard output"),
        ([*WHAT, "--threshold=-1%"], "-1%"),
        ([*WHAT, "--threshold=5"], "write 5% if"),
        ([*WHAT, "--base", "no-such-branch"], "no-such-branch"),
        ([*WHAT, "--base=--help"], "--help"),
        ([*WHAT, "--head-python", "no-such-python"], "no interpreter"),
        (["--base", "before", "--suite", "nowhere.py"], "nowhere.py is in neither side"),
        (["--from", "outcome.json", "--base", "before"], "--from measures nothing"),
        (["--from", "no-such-file"], "no-such-file"),
    ],
)
def test_a_users_mistake_is_2_and_one_line(
    arguments: list[str], told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    status = _regress(*arguments)
    said = capfd.readouterr().err.strip().splitlines()
    assert status == 2
    assert told in said[-1]
    assert len(said) <= 2, "beside the stage it was at"


@pytest.fixture
def broken(code: Path) -> Iterator[None]:
    """The working tree's suite cannot be imported."""
    text = (code / repository.LAYERS).read_text()
    (code / repository.LAYERS).write_text("import no_such_package\n")
    yield
    (code / repository.LAYERS).write_text(text)


@pytest.mark.usefixtures("broken")
def test_code_of_base_that_cannot_be_imported_is_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _regress(*WHAT, "--base", ".", "--head", "before", results=tmp_path) == 3
    assert "base (working tree)" in capsys.readouterr().err


@pytest.mark.usefixtures("broken")
def test_code_of_head_that_cannot_be_imported_fails_what_ran_on_base(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _regress(*WHAT, "--layer", "steady", results=tmp_path) == 1
    said = capsys.readouterr().out
    assert "1 failed on head" in said
    assert "no_such_package" in said


def test_an_error_of_ours_is_not_the_status_of_a_regression(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("harness.cli.regress.regress", lambda *args: 1 / 0)
    assert _regress(*WHAT) == 3
    assert "layerbench itself failed: ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([*WHAT, "--layer", "added"], "1 new"),
        ([*SIDES, "--execution", "compiled", "--layer", "steady"], "compiles nothing"),
        ([*WHAT, "--base", ".", "--layer", "crashes"], "SIGABRT"),
    ],
)
def test_an_empty_gate_is_4_and_says_why(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _regress(*arguments, results=tmp_path) == 4
    assert told in capsys.readouterr().out


def test_what_is_undecided_closes_only_a_strict_gate(tmp_path: Path) -> None:
    unsure = outcomes.case("a/torch", outcomes.latency(verdict=Verdict.INCONCLUSIVE))
    stored = _stored(tmp_path, unsure)
    assert _regress(*stored) == 0
    assert _regress(*stored, "--strict") == 5


def test_a_regression_counts_more_than_what_is_undecided(tmp_path: Path) -> None:
    unsure = outcomes.case("a/torch", outcomes.latency(verdict=Verdict.INCONCLUSIVE))
    worse = outcomes.case("b/torch", outcomes.latency(verdict=Verdict.REGRESSION))
    assert _regress(*_stored(tmp_path, unsure, worse), "--strict") == 1


def test_a_budget_that_is_used_up_has_compared_nothing(tmp_path: Path) -> None:
    assert _regress(*WHAT, "--layer", "slower", "--budget", "1ms", results=tmp_path) == 4


def test_a_format_without_a_file_takes_the_place_of_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = outcomes.case("a/torch", outcomes.latency(verdict=Verdict.SAME))
    assert _regress(*_stored(tmp_path, same), "--format", "json") == 0
    assert Outcome.from_text(capsys.readouterr().out).cases[0].verdict is Verdict.SAME


def test_a_format_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = outcomes.case("a/torch", outcomes.latency(verdict=Verdict.SAME))
    other = tmp_path / "outcome.xml"
    formats = (f"--format=json={tmp_path}", f"--format=junit={other}")
    assert _regress(*_stored(tmp_path, same), *formats) == 2
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert "Nothing became worse" in said.out, "what was found is shown all the same"
    assert other.exists()


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"\0" * 100, b"[" * 10**5, b"null", b'{"schema": 1}', b"1e999"]
)
def test_a_file_that_is_no_outcome_is_2(
    data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hostile").write_bytes(data)
    assert _regress("--from", str(tmp_path / "hostile")) == 2
    assert "not the result of a gate" in capsys.readouterr().err


def test_a_stop_in_the_middle_leaves_nothing_behind(code: Path, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    asked = ["regress", *WHAT, "--layer", "steady", "--results", str(tmp_path)]
    command = [sys.executable, "-m", "harness", *asked]
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(harness.__file__).parents[1]),
        "TMPDIR": str(tmp_path / "tmp"),
    }
    with subprocess.Popen(
        command, cwd=code, env=environment, stderr=subprocess.PIPE, text=True
    ) as gate:
        stuck = threading.Timer(60, gate.kill)
        stuck.start()
        assert gate.stderr is not None
        for line in gate.stderr:
            if line.startswith("pair 2"):
                break
        while not (workers := psutil.Process(gate.pid).children(recursive=True)):
            time.sleep(0.01)
        gate.send_signal(signal.SIGINT)
        assert gate.wait() == 130
        stuck.cancel()
    assert not psutil.wait_procs(workers, timeout=5)[1]
    assert not list((tmp_path / "tmp").iterdir())
    assert repository.git(code, "worktree", "list").count("\n") == 0
