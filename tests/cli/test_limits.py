"""``layerbench fit`` and ``layerbench crossover``, as typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import exit_status
import pytest
from fake_runs import SUITE

import harness

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux limits a worker's memory"
)
FAKE = ["--suite", SUITE, "--framework", "fake", "--execution", "eager", "--axis", "seq"]
FIT = ["fit", "limited", *FAKE]
CROSSOVER = ["crossover", "power_law", "sequence", *FAKE, "--sample-time", "50ms"]


def layerbench(*arguments: str, cwd: Path, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(harness.__file__).parents[1])}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=cwd, env=environment, **pipes, **options)


def said(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    process = layerbench(*arguments, cwd=cwd)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_fit_prints_a_row_a_mode(tmp_path: Path) -> None:
    status, out, err = said(*FIT, "--up-to", "64", cwd=tmp_path)
    assert (status, err) == (0, "")
    rows = {line.split()[1]: line.split() for line in out.splitlines() if " fake " in line}
    assert rows["forward"][3:8] == ["21", "21.0", "MiB", "22", "oom:"]
    assert rows["train"][3:8] == ["7", "21.0", "MiB", "8", "oom:"]
    assert "not checked against the reference" in out


def test_fit_says_as_json_what_it_tried(tmp_path: Path) -> None:
    typed = [*FIT, "--mode", "forward", "--param", "limit=16", "--max-memory", "4GiB", "--json"]
    status, out, err = said(*typed, cwd=tmp_path)
    assert status == 0
    assert "oom" in err  # progress
    told = json.loads(out)
    (search,) = told["searches"]
    assert told["memory_limit_bytes"] == {"cpu": 4 * 2**30}
    assert (search["largest"], search["verified"], search["bounded"]) == (16, True, True)
    assert search["next"]["value"] == 17
    assert [tried["value"] for tried in search["tries"]] == [16, 32, 24, 20, 18, 17, 16]
    assert search["case"].endswith("b1-s*-limit=16-kind=memory_error")


def test_where_nothing_fits_the_exit_status_is_3(tmp_path: Path) -> None:
    status, out, _ = said(*FIT, "--mode", "forward", "--param", "limit=0", cwd=tmp_path)
    assert status == 3
    assert "none" in out


def test_where_nothing_can_be_searched_the_exit_status_is_3(tmp_path: Path) -> None:
    typed = [word if word != "eager" else "compiled" for word in FIT]
    status, out, _ = said(*typed, cwd=tmp_path)
    assert status == 3
    assert "unsupported: the fake framework compiles nothing" in out


def test_crossover_says_where_and_keeps_every_figure(tmp_path: Path) -> None:
    typed = [*CROSSOVER, "--param", "us=1,20"]
    assert said(*typed, cwd=tmp_path)[0] == 2
    b = "sequence/fake/cpu/forward/eager/float32/us=100"
    typed = [b if word == "sequence" else word for word in CROSSOVER]
    status, out, err = said(*typed, "--up-to", "256", cwd=tmp_path)
    assert (status, err) == (0, "")
    (verdict,) = (line for line in out.splitlines() if line.startswith("Latency:"))
    words = verdict.replace("(", "").split()
    assert words[:6] == ["Latency:", "B", "is", "faster", "from", "seq"]
    assert 95 <= int(words[7]) <= 105
    assert "Peak memory: B is smaller from seq = 16 to 256: no crossover" in out
    report, _, _ = said("report", cwd=tmp_path)
    assert report == 0


def test_crossover_says_so_if_there_is_none(tmp_path: Path) -> None:
    b = "power_law/fake/cpu/forward/eager/float32/us=3.0"
    typed = [b if word == "sequence" else word for word in CROSSOVER]
    status, out, _ = said(*typed, "--up-to", "32", "--json", cwd=tmp_path)
    assert status == 0
    told = json.loads(out)
    assert told["latency"]["crossings"] == []
    verdict = "Latency: A is faster from seq = 16 to 32: no crossover up to 32."
    assert told["latency"]["verdict"] == verdict
    assert [point["value"] for point in told["points"]] == [16, 32]
    assert told["points"][0]["a"]["latency_s"] == pytest.approx(16e-6, rel=1e-3)


def test_where_nothing_can_be_compared_the_exit_status_is_4(tmp_path: Path) -> None:
    typed = [word if word != "sequence" else "limited" for word in CROSSOVER]
    status, out, _ = said(*typed, "--param", "limit=0", "--up-to", "16", cwd=tmp_path)
    assert status == 4
    assert "B has no figures at seq = 16: oom" in out


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (["fit", "lstm"], "required: --axis"),
        (["fit", "lstm", "--axis", "sqe"], "nearest: seq"),
        (["fit", "lsmt", "--axis", "seq"], "nearest: lstm"),
        (["fit", "dense", "--axis", "seq"], "dense has no sequence axis"),
        (["fit", "lstm", "--axis", "seq", "--seq", "16"], "leave out --seq"),
        (["fit", "lstm", "--axis", "seq", "--max-memory", "much"], "write one such as 512MiB"),
        (["fit", "lstm", "--axis", "seq", "--up-to", "0"], "whole number above 0"),
        (["crossover", "lstm", "--axis", "seq"], "required: B"),
        (["crossover", "lstm", "lstm", "--axis", "seq"], "A and B are the same"),
        (["crossover", "lstm", "dense", "--axis", "seq"], "dense has no sequence axis"),
        (["crossover", "lstm", "gru", "--axis", "seq", "--up-to", "x"], "whole number"),
    ],
)
def test_a_mistake_is_one_line_and_exit_status_2(
    typed: list[str], complaint: str, capsys: pytest.CaptureFixture[str],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    status = exit_status.of(typed)
    told = capsys.readouterr().err
    assert status == 2
    assert complaint in told
    assert len(told.splitlines()) == 1


def test_a_stopped_fit_says_what_it_knows(tmp_path: Path) -> None:
    typed = [*FIT, "--mode", "forward", "--param", "kind=hang", "--timeout", "60s"]
    process = layerbench(*typed, cwd=tmp_path)
    assert process.stdout is not None
    assert "s16-limit=21-kind=hang" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    (row,) = (line for line in out.splitlines() if " fake " in line)
    assert "≥ 16" in row
    assert "cut short" in row


def test_a_stopped_crossover_keeps_what_it_measured(tmp_path: Path) -> None:
    process = layerbench(*CROSSOVER, "--up-to", "4096", cwd=tmp_path)
    while not any(b'"samples_s"' in file.read_bytes() for file in tmp_path.rglob("journal.jsonl")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "The search was cut short" in out
    assert "all that was measured is kept: layerbench report results/" in out
    (folder,) = (file.parent for file in tmp_path.rglob("run.json"))
    assert harness.load(folder)["status"].eq("ok").any()
