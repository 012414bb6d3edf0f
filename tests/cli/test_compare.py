"""`layerbench compare`, as typed."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import exit_status
import journals
import pytest
from fake_runs import request

from harness import runner, store


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a folder of results each: one case on three machines, and one later."""
    here = tmp_path_factory.mktemp("measured")
    plan = runner.make_plan(request())
    record = runner.begin(plan, here / "results", "layerbench run")
    runner.execute(record, plan.layers, lambda event: None)
    store.collect(record.folder)
    for name, machine, run_id in (
        ("one", "box-1", "run-1"),
        ("two", "box-2", "run-2"),
        ("three", "box-3", "run-3"),
        ("later", "box-1", "run-4"),
    ):
        folder = here / name / machine / run_id
        shutil.copytree(record.folder, folder)
        journals.change_plan(
            folder, run_id=run_id, machine={**record.machine, "machine_id": machine}
        )
        journals.rewrite(folder, partial(_worker_of, run_id))
    return here


def _worker_of(run_id: str, record: dict[str, Any]) -> None:
    if record["kind"] == "worker":
        record["run_id"] = run_id


def _slowed(record: dict[str, Any]) -> None:
    for name in ("samples_s", "paired_samples_s", "doubled_samples_s"):
        if name in record:
            record[name] = [3 * seconds for seconds in record[name]]


def said(
    typed: list[str], measured: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[int, str, str]:  # fmt: skip
    monkeypatch.chdir(measured)
    status = exit_status.of(["compare", *typed])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(
    ("typed", "base", "others"),
    [
        (["one", "two", "three"], "box-1", ["box-2", "box-3"]),
        (["one", "two", "three", "--base", "box-3"], "box-3", ["box-1", "box-2"]),
        (["one", "two", "three", "--base", "./two"], "box-2", ["box-1", "box-3"]),
        (["one", "--base", "box-3", "two", "three"], "box-3", ["box-1", "box-2"]),
        (["--base", "box-2", "one", "--max-slowdown", "90%", "two"], "box-2", ["box-1"]),
        (["--base", "box-2", "--", "one", "two"], "box-2", ["box-1"]),
        (["one", "later"], "one", ["later"]),
        (["one", "one"], "one (1)", ["one (2)"]),
        (["one", "two/box-2/run-2"], "box-1", ["box-2"]),
        (["one", "two", "--across-devices"], "box-1", ["box-2"]),
    ],
    ids=" ".join,
)
def test_the_first_is_the_base_unless_another_is_named(
    typed: list[str], base: str, others: list[str], measured: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    status, out, err = said(typed, measured, capsys, monkeypatch)
    assert (status, err) == (0, "")
    sides = [
        line.split(",")[0] for line in out.splitlines() if line.startswith(("base:", "other:"))
    ]
    assert sides == [f"base: {base}", *(f"other: {other}" for other in others)]
    assert out.count(" takes 1.00× (") == len(others)


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (["one"], "name two results or more"),
        ([], "the following arguments are required: RUN"),
        (
            ["one", "--base", "box-1", "two", "--bsae", "x"],
            "unknown option --bsae; nearest: --base",
        ),
        (["one", "nowhere"], "nowhere does not exist"),
        (["one", "--across-devices"], "one was measured on one device"),
        (["one", "two", "--base", "box-9"], "unknown result for --base 'box-9'; nearest: box-"),
        ([".", "two"], "holds results of 4 machines"),
        (["one", "two", "--out", "one/box-1/run-1/run.json"], "cannot write to one/box-1/run-1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_gets_one_line_and_exit_status_2(
    typed: list[str], complaint: str, measured: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    status, _, err = said(typed, measured, capsys, monkeypatch)
    assert status == 2
    assert complaint in err
    assert len(err.splitlines()) == 1


def test_a_page_and_markdown_are_written_where_asked(
    measured: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    out = tmp_path / "new" / "folder"
    status, told, _ = said(["one", "two", "--out", str(out)], measured, capsys, monkeypatch)
    assert status == 0
    files = [out / "comparison.html", out / "comparison.md"]
    assert told.splitlines()[-2:] == [str(file) for file in files]
    for file in files:
        assert "box-2 against box-1" in file.read_text(encoding="utf-8")


def test_its_drawings_are_written_where_asked(
    measured: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    typed = ["one", "two", "--figures", str(tmp_path / "drawn")]
    status, told, _ = said(typed, measured, capsys, monkeypatch)
    assert status == 0
    assert told.splitlines()[-1].endswith("drawn: 1 figure, each as PNG, SVG and PDF")
    assert {file.name for file in (tmp_path / "drawn").iterdir()} == {
        f"machines-forward-box-1.{suffix}" for suffix in ("png", "svg", "pdf")
    }


def test_others_that_measured_nothing_are_told_and_are_exit_status_4(
    measured: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    failed = tmp_path / "failed"
    shutil.copytree(measured / "two", failed)
    (plan,) = failed.rglob("run.json")
    (plan.parent / journals.CASES).unlink()  # or it would tell of what the journal has lost
    journals.rewrite(plan.parent, lambda one: "status" in one and one.update(status="oom"))
    status, out, err = said(["one", str(failed)], measured, capsys, monkeypatch)
    assert (status, out.count("Of 1 case: 1 failed.")) == (4, 1)
    assert err == "layerbench: no case was measured on both sides; above stands why not\n"
    limit = ["--max-slowdown", "50%"]
    assert said(["one", str(failed), *limit], measured, capsys, monkeypatch)[0] == 3


def test_a_limit_holds_for_each_of_the_others_against_the_base(
    measured: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    slow = tmp_path / "slow"
    shutil.copytree(measured / "two", slow)
    (plan,) = slow.rglob("run.json")
    journals.rewrite(plan.parent, _slowed)
    limit = ["--max-slowdown", "50%"]
    status, out, _ = said(["one", str(slow), "three", *limit], measured, capsys, monkeypatch)
    assert status == 3
    assert "1 case failed, vanished, or is slower by more than 50 % (1 in box-2)" in out
    status, out, _ = said(["one", "three", *limit], measured, capsys, monkeypatch)
    assert status == 0
    assert "no case is slower by more than 50 %" in out
