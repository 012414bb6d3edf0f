"""The report that comes with the project is what its results give."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import pytest

import harness
from harness import store
from harness.cli import commands
from harness.cli.parser import parse
from harness.gate.outcome import Outcome, Verdict
from tools import example

ROOT = Path(harness.__file__).parents[1]
RESULTS, REPORTS = ROOT / example.RESULTS, ROOT / example.REPORTS
COMMAND = f"layerbench {' '.join(example.REPORT)}"
LARGEST_BYTES = 3_000_000


def test_the_example_is_what_its_results_give_now(tmp_path: Path) -> None:
    pinned = re.search(r"^matplotlib==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned
    if mpl.__version__ != pinned[1]:
        pytest.skip(f"drawn with matplotlib {pinned[1]}, and {mpl.__version__} draws other bytes")
    typed = ["report", str(RESULTS), f"--outcome={ROOT / example.OUTCOME}", f"--out={tmp_path}"]
    assert commands.report_command(parse(typed)) == 0
    made = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    kept = {file.name: file.read_bytes() for file in REPORTS.iterdir()}
    differing = sorted(
        name for name in made.keys() | kept.keys() if made.get(name) != kept.get(name)
    )
    if differing:
        pytest.fail(
            f"not what the results give now: {', '.join(differing)} in reports/example; "
            f"make it again with `{COMMAND}`, and look at it"
        )


def test_the_example_shows_what_a_report_has_to_tell() -> None:
    (page,) = REPORTS.glob("*.html")
    text = page.read_text(encoding="utf-8")
    assert len(text.encode()) < LARGEST_BYTES
    for heading in ("Crossover lengths", "Speedup over batch size and sequence length",
                    "Eager against compiled", "Forward against backward", "History"):  # fmt: skip
        assert f">{heading}</" in text, heading
    frame = store.load(RESULTS)
    assert {"ok", "oom", "unsupported"} <= set(frame["status"])
    assert set(frame["framework"]) == {"torch", "tensorflow"}
    followed = frame[frame["case_id"].isin(example.FOLLOWED)].groupby("case_id")["run_id"].nunique()
    assert followed.to_dict() == dict.fromkeys(example.FOLLOWED, example.SHORT_RUNS + 1)
    assert Outcome.from_file(ROOT / example.OUTCOME).of(Verdict.REGRESSION)


def test_no_folder_of_the_machine_is_in_the_example() -> None:
    for file in (path for path in RESULTS.rglob("*") if path.is_file()):
        assert not re.search(r"/(tmp|home|root|work|Users)/", file.read_text(encoding="utf-8")), (
            file
        )
