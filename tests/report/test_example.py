"""The report that comes with the project is what its results give."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import pytest

import harness
from harness.cli import commands
from harness.cli.parser import parse

ROOT = Path(harness.__file__).parents[1]
RESULTS, REPORTS = ROOT / "results" / "example", ROOT / "reports" / "example"
COMMAND = "layerbench report results/example --out reports/example"


def test_the_example_is_what_its_results_give_now(tmp_path: Path) -> None:
    pinned = re.search(r"^matplotlib==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned
    if mpl.__version__ != pinned[1]:
        pytest.skip(f"drawn with matplotlib {pinned[1]}, and {mpl.__version__} draws other bytes")
    assert commands.report_command(parse(["report", str(RESULTS), "--out", str(tmp_path)])) == 0
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
