"""``layerbench export``, as typed, on a run of the fake framework."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import exit_status
import pandas as pd
import pytest

import harness
from harness import cli
from harness.report.exchange import FORMATS


@pytest.fixture
def results(
    measured: Callable[..., pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The folder of results below which there is a run."""
    measured()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results"


def test_every_format_goes_to_its_file(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = [f"--format={name}=out/run.{name}" for name in FORMATS]
    assert cli.main(["export", str(results), *wanted]) == 0
    assert capsys.readouterr().out == ""
    assert {file.name for file in Path("out").iterdir()} == {f"run.{name}" for name in FORMATS}
    for name in ("csv", "parquet"):
        pd.testing.assert_frame_equal(
            harness.load(f"out/run.{name}"), harness.load(results), check_exact=True
        )


def test_a_link_is_written_through(results: Path) -> None:
    Path("link.csv").symlink_to("there.csv")
    for _ in range(2):
        assert cli.main(["export", "--format", "csv=link.csv"]) == 0
        assert Path("link.csv").is_symlink()
        assert len(harness.load("there.csv")) == 1


def test_the_latest_run_goes_to_standard_output_if_nothing_else_is_said(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["export", "--format", "csv"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.startswith('"case_id","layer"')
    assert len(lines) == len(harness.load(results))


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ([], "required: --format"),
        (["--format", "excel"], "unknown format 'excel'"),
        (["--format", "cvs"], "nearest: csv"),
        (["--format", "csv="], "names no file"),
        (["--format", "csv", "--format", "json"], "cannot both go to standard output"),
        (["--format", "csv=a", "--format", "json=a"], "two formats cannot both go to a"),
        (["--format", "parquet"], "name a file"),
        (["--format", "csv=results"], "cannot write to"),
        (["nowhere", "--format", "csv"], "nowhere does not exist"),
        (["--results", "nowhere", "--format", "csv"], "holds no run"),
    ],
)
def test_a_mistake_is_2_and_one_line(
    results: Path, typed: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = exit_status.of(["export", *typed])
    said = capsys.readouterr().err.splitlines()
    assert status == 2
    assert told in said[-1]
    assert len(said) == 1


def test_a_run_without_cases_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], results: Path
) -> None:
    empty = harness.load(results).head(0)
    file = tmp_path / "empty.csv"
    file.write_text(harness.store.to_csv(empty))
    assert cli.main(["export", str(file), "--format", "json"]) == 2
    assert "holds no case" in capsys.readouterr().err


def test_a_report_writes_its_figures_beside_it(
    measured: Callable[..., pd.DataFrame],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    measured(axes={"batch": [1, 2, 4]})
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", "--figures", "new/figures"]) == 0
    said = capsys.readouterr().out.splitlines()
    names = {file.name for file in Path("new/figures").iterdir()}
    assert {f"scale-latency-forward-batch.{suffix}" for suffix in ("png", "svg", "pdf")} <= names
    assert said[-2] == f"new/figures: {len(names) // 3} figures, each as PNG, SVG and PDF"
    assert said[-1] == "Every measured case has its samples in a figure."
    assert sum(name.startswith("samples-scale-") for name in names) == 3 * 3
    Path("taken").touch()
    assert cli.main(["report", "--figures", "taken"]) == 2
    assert "name another folder with --figures" in capsys.readouterr().err
