"""The command line, as typed."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import exit_status
import pytest
from fake_runs import SUITE

import harness
from harness import cli
from harness.cli import commands
from harness.cli.parser import parse

RUN = [
    *("run", "--suite", SUITE, "--framework", "fake", "--execution", "eager", "--passes", "1"),
    *("--mode", "forward", "--batch", "2", "--sample-time", "50ms"),
]


def layerbench(
    *arguments: str, cwd: Path, stdout: Any = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(harness.__file__).parents[1])}
    environment.pop("PYTHONUNBUFFERED", None)  # what is written late fails late
    return subprocess.run(
        command, cwd=cwd, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom harness import cli\n"
        "try: cli.main(['run', '--help'])\nexcept SystemExit: pass\n"
        "heavy = ('numpy', 'pandas', 'rich', 'matplotlib', 'torch', 'tensorflow')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "[]"


def test_list_names_layers_and_frameworks(tmp_path: Path) -> None:
    said = layerbench("list", "--json", "--suite", SUITE, cwd=tmp_path)
    by_name = {entry["layer"]: entry for entry in json.loads(said.stdout)}
    assert by_name["lstm"]["frameworks"] == ["tensorflow", "torch"]
    assert by_name["scale"]["frameworks"] == []
    assert "lstm" in layerbench("list", cwd=tmp_path).stdout


def test_list_tells_what_a_framework_cannot_have_and_why(tmp_path: Path) -> None:
    said = layerbench("list", "--json", cwd=tmp_path)
    by_name = {entry["layer"]: entry for entry in json.loads(said.stdout)}
    assert by_name["sdpa_math"]["frameworks"] == ["torch"]
    assert list(by_name["sdpa_math"]["unsupported"]) == ["tensorflow"]
    assert "kernel is torch's" in by_name["sdpa_math"]["unsupported"]["tensorflow"]
    assert by_name["attention_plain"]["unsupported"] == {}
    table = layerbench("list", cwd=tmp_path).stdout.splitlines()
    assert next(line.split()[2:4] for line in table if line.startswith("sdpa_math ")) == [
        "unsupported",
        "yes",
    ]


def test_a_run_is_measured_kept_reported_compared_and_collected(tmp_path: Path) -> None:
    run = layerbench(*RUN, "--layer", "scale", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "scale/fake" in run.stdout
    (folder,) = (path.parent for path in (tmp_path / "results").rglob("run.json"))
    assert (folder / "cases.parquet").exists()
    assert not run.stderr

    report = layerbench("report", cwd=tmp_path)
    assert report.returncode == 0, report.stderr
    page, text = (tmp_path / line for line in report.stdout.split())
    assert "<svg" in page.read_text(encoding="utf-8") or "scale" in page.read_text(encoding="utf-8")
    assert "scale" in text.read_text(encoding="utf-8")

    for out in ("taken", "taken/below"):
        (tmp_path / "taken").touch()
        refused = layerbench("report", "--out", out, cwd=tmp_path)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
        assert f"cannot write to {out}" in refused.stderr

    same = layerbench("compare", str(folder), str(folder), "--max-slowdown", "5%", cwd=tmp_path)
    assert same.returncode == 0, same.stderr
    collected = layerbench("collect", str(folder), cwd=tmp_path)
    assert collected.stdout.split() == [
        str(folder / "cases.parquet"),
        str(folder / "samples.parquet"),
    ]


def test_a_slower_run_fails_the_gate_and_another_layer_has_nothing_to_compare(
    tmp_path: Path,
) -> None:
    slow = tmp_path / "slow_suite.py"
    slow.write_text(
        Path(SUITE).read_text(encoding="utf-8").replace("c.us * 1e-6)", "c.us * 2e-6)"),
        encoding="utf-8",
    )
    for results, suite, layer in (
        ("base", SUITE, "scale"),
        ("head", str(slow), "scale"),
        ("other", SUITE, "sequence"),
    ):
        typed = [suite if word == SUITE else word for word in RUN]
        run = layerbench(*typed, "--layer", layer, "--results", results, cwd=tmp_path)
        assert run.returncode == 0, run.stderr
    gate = layerbench("compare", "base", "head", "--max-slowdown", "5%", cwd=tmp_path)
    assert gate.returncode == 3
    assert "slower" in gate.stdout
    assert (
        layerbench("compare", "head", "base", "--max-slowdown", "5%", cwd=tmp_path).returncode == 0
    )
    nothing = layerbench("compare", "base", "other", cwd=tmp_path)
    assert nothing.returncode == 4
    assert len(nothing.stderr.splitlines()) == 1


def test_a_failed_case_is_exit_status_3(tmp_path: Path) -> None:
    run = layerbench(*RUN, "--layer", "fault", "--param", "kind=segfault", cwd=tmp_path)
    assert run.returncode == 3
    assert "crashed" in run.stdout


def test_a_row_that_fails_a_check_of_itself_is_exit_status_3_under_strict_only(
    tmp_path: Path,
) -> None:
    typed = (*RUN, "--layer", "shrinking,growing", "--batch", "4")
    assert layerbench(*typed, cwd=tmp_path).returncode == 0
    strict = layerbench(*typed, "--strict", cwd=tmp_path)
    assert strict.returncode == 3
    line = "strict: 1 row failed a check of itself (growth 1)"
    assert [told for told in strict.stdout.splitlines() if told.startswith("strict:")] == [line]
    sound = layerbench(*RUN, "--layer", "growing", "--strict", cwd=tmp_path)
    assert sound.returncode == 0
    again = layerbench("run", "--resume", "--strict", "--suite", SUITE, cwd=tmp_path)
    assert again.returncode == 0, again.stderr


def test_a_dry_run_prints_cases_and_time_and_measures_nothing(tmp_path: Path) -> None:
    said = layerbench(*RUN, "--layer", "scale", "--dry-run", cwd=tmp_path)
    assert said.returncode == 0
    assert said.stdout.splitlines()[0] == "scale/fake/cpu/forward/eager/float32/b2-us=20"
    assert "1 case, 1 to measure, 1 pass, " in said.stdout
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (["rn"], "nearest: run"),
        (["run", "--bathc", "1"], "nearest: --batch"),
        (["run", "--layer", "lsmt"], "nearest: lstm"),
        (["run", "--batch", "0"], "batch 0 is not 1 or more"),
        (["run", "--budget", "soon"], "write one such as"),
        (["run", "--param", "units"], "NAME=VALUE"),
        (["run", "--device", "cdua"], "nearest: cuda"),
        (["run", "--dtype", "float61"], "nearest: float16"),
        (["run", "nosuch.toml"], "does not exist"),
        (["run", "--resume", "nowhere"], "holds no run"),
        (["run", "--resume"], "holds no run"),
        (["run", "--resume", "--results", "nowhere"], "nowhere holds no run"),
        (["run", "--resume", "--batch", "4", "--seed", "0"], "leave out --batch, --seed"),
        (["run", "quick", "--resume"], "leave out quick"),
        (["run", "--resume", "--dry-run"], "leave out --dry-run"),
        (["run", "--resume", ""], "the path is empty"),
        (["run", "--case", "x", "--param", "a=1", "-l", "b"], "leave out --layer, --param"),
        (["run", "--case", "garbage"], "has 1 parts, not 7"),
        (["run", "-l", ","], "--layer: ',' names nothing"),
        (["run", "-l", ""], "--layer: '' names nothing"),
        (["run", "-l", "dénse"], "nearest: dense"),
        (["run", "-l", "a\nb"], "unknown layer"),
        (["run", "--batch", "1,,2"], "batch '' is not a whole number"),
        (["run", "--batch", "token=64"], "batch 'token=64' is not a whole number, nor such as"),
        (["run", "--batch", "tokens=0"], "batch tokens= 0 is not 1 or more"),
        (["run", "--seq", "tokens=64"], "whole numbers above 0"),
        (["run", "--batch", "9" * 20], "is more than 2147483647"),
        (["run", "--threads", "0"], "whole numbers above 0"),
        (["run", "--passes", "9" * 400], "is more than 2147483647"),
        (["run", "--timeout", "9" * 400], "timeout_s = inf is not above 0 and below"),
        (["run", "--rel-ci", "100%"], "rel_ci = 1.0 is not above 0 and below 1"),
        (["run", "--seed", "abc"], "--seed"),
        (["run", "--presets", "some"], "unknown preset 'some'; "),
        (["run", "--param", "hidden_size=nan"], "not a finite number"),
        (["run", "--param", "hidden_size=,"], "NAME=VALUE"),
        (["run", "-l", "dense", "--param", "activation=sigmoid"], "choose one of: linear, relu"),
        (["run", "--suite", ""], "the path is empty"),
        (["run", "a" * 5000], "File name too long"),
        (["run", "mine"], "for the file write mine.toml"),
        (["run", "-l", "dense", "--results", "mine.toml"], "cannot write to mine.toml"),
        (["run", "-l", "dense", "--results", "mine.toml/x"], "name another folder"),
        (["run", "-l", "dense", "--results", ""], "the path is empty"),
        (["report", ""], "the path is empty"),
        (["compare", "", ""], "the path is empty"),
        (["collect", "a" * 5000], "File name too long"),
        (["report", "nowhere"], "does not exist"),
        (["compare", "a", "b"], "does not exist"),
        (["compare", "a"], "name two results or more"),
        (["collect", "nowhere"], "does not exist"),
        ([], "required: COMMAND"),
    ],
)
def test_a_mistake_gets_one_line_the_nearest_name_and_exit_status_2(
    typed: list[str], complaint: str, capsys: pytest.CaptureFixture[str],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").touch()
    status = exit_status.of(typed)
    said = capsys.readouterr().err
    assert status == 2
    assert complaint in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    "typed",
    [("--help",), ("list",), ("list", "--json"), (*RUN, "--layer", "scale", "--dry-run")],
    ids=lambda typed: " ".join(typed[:1] + typed[-1:]),
)
def test_a_reader_who_leaves_is_no_error(tmp_path: Path, typed: tuple[str, ...]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    said = layerbench(*typed, cwd=tmp_path, stdout=theirs)
    os.close(theirs)
    assert (said.returncode, said.stderr) == (0, "")


def test_a_gate_decides_though_nobody_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = os.pipe()
    os.close(ours)

    def failing(options: object) -> int:
        print("much" * 100_000)
        return cli.FAILED

    monkeypatch.setattr(commands, "list_command", failing)
    with open(theirs, "w", encoding="utf-8") as stream, contextlib.redirect_stdout(stream):
        assert cli.main(["list"]) == cli.FAILED


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to write to")
@pytest.mark.parametrize("length", [1, 100_000])
def test_output_that_cannot_be_written_is_told(
    length: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "list_command", lambda options: print("x" * length) or cli.GOOD)
    with open("/dev/full", "w") as full, contextlib.redirect_stdout(full):
        assert cli.main(["list"]) == cli.USAGE
    assert capsys.readouterr().err == "layerbench: standard output: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to write to")
def test_help_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        said = layerbench("--help", cwd=tmp_path, stdout=full)
    assert (said.returncode, said.stderr) == (
        2,
        "layerbench: standard output: No space left on device\n",
    )


def test_text_from_data_is_no_markup(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        Path(SUITE).read_text(encoding="utf-8").replace("y = a x", "y = [a, x] :smile: [/b]"),
        encoding="utf-8",
    )
    assert "y = [a, x] :smile: [/b]" in layerbench("list", "--suite", "own.py", cwd=tmp_path).stdout
    folder = "[red] results"
    run = layerbench(*RUN, "--layer", "scale", "--results", folder, cwd=tmp_path)
    assert f"results: {folder}/" in run.stdout


def test_repeated_options_add_up() -> None:
    typed = ["run", "-l", "a", "-l", "b,c", "--batch", "1", "--batch", "2,3"]
    options = parse([*typed, "--param", "x=1", "--param", "x=2"])
    request = commands._request(options)
    assert request.layers == ("a", "b", "c")
    assert request.axes == {"batch": (1, 2, 3)}
    assert request.params == {"x": (1, 2)}


def test_the_version_has_one_home(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--version"])
    assert capsys.readouterr().out == f"layerbench {harness.__version__}\n"


def test_doctor_says_what_is_here(tmp_path: Path) -> None:
    said = layerbench("doctor", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert "noise floor" in said.stdout


def test_a_case_is_profiled_shown_and_kept(tmp_path: Path) -> None:
    case = "scale/fake/cpu/forward/eager/float32/b2-us=20"
    said = layerbench("profile", case, "--suite", SUITE, "--out", "here", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert "NumPy" in said.stdout
    files = {path.name for path in (tmp_path / "here" / case).iterdir()}
    assert files == {"trace.json", "operators.csv", "memory.csv", "memory.svg", "index.html"}


@pytest.mark.parametrize(
    ("case", "status", "complaint"),
    [
        ("scale/fake/cpu", 2, "has 3 parts, not 7"),
        ("scael/fake/cpu/forward/eager/float32/b2-us=20", 2, "nearest: scale"),
        ("scale/fake/cpu/forward/compiled/float32/b2-us=20", 2, "compiles nothing"),
        ("fault/fake/cpu/forward/eager/float32/b2-kind=raise-at=1", 3, "always raises"),
        ("fault/fake/cpu/forward/eager/float32/b2-kind=segfault-at=2", 3, "died of SIGSEGV"),
    ],
)
def test_a_case_that_cannot_be_profiled_is_told_in_one_line(
    tmp_path: Path, case: str, status: int, complaint: str
) -> None:
    said = layerbench("profile", case, "--suite", SUITE, cwd=tmp_path)
    assert (said.returncode, len(said.stderr.splitlines())) == (status, 1), said.stderr
    assert complaint in said.stderr
