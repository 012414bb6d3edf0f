"""``import harness``, as in a notebook."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_runs import SUITE

import harness
from harness.types import UsageError

FAKE = {"framework": "fake", "execution": "eager", "mode": "forward", "passes": 1}


def test_importing_costs_nothing() -> None:
    code = (
        "import sys, harness; print([m for m in ('numpy', 'pandas', 'rich') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_lone_values_paths_and_numpy_numbers_are_taken(tmp_path: Path) -> None:
    frame = harness.run(
        Path("quick"),
        layers="scale",
        suites=Path(SUITE),
        batch=np.int64(3),
        params={"us": np.arange(20, 22)},
        results=str(tmp_path),
        **FAKE,
    )
    assert frame["status"].tolist() == ["ok", "ok"]
    assert set(frame["batch"]) == {3}
    assert [params["us"] for params in frame["params"]] == [20, 21]


def test_the_command_that_is_kept_makes_the_same_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    harness.run(
        layers=["scale"], suites=SUITE, batch=(1, 2), params={"us": 30}, budget_s="1ms",
        max_memory_bytes="2GiB", **{**FAKE, "passes": None},
    )  # fmt: skip
    runs = list(tmp_path.rglob("run.json"))
    first = json.loads(runs[0].read_text(encoding="utf-8"))
    assert first["command"] == (
        f"harness.run('quick', layers=['scale'], params={{'us': [30]}}, suites=[{SUITE!r}], "
        "budget_s=0.001, max_memory_bytes=2147483648, batch=[1, 2], "
        "framework=['fake'], execution=['eager'], mode=['forward'])"
    )
    eval(first["command"], {"harness": harness})
    (again,) = (path for path in tmp_path.rglob("run.json") if path not in runs)
    second = json.loads(again.read_text(encoding="utf-8"))
    for name in ("command", "cases", "passes", "budget_s", "max_memory_bytes", "suites", "sweep"):
        assert second[name] == first[name]


def test_a_plain_call_is_kept_plain() -> None:
    assert harness._call(harness.runner.Request(), Path("results")) == "harness.run('quick')"
    assert harness._call(harness.runner.Request(), Path("mine")).endswith(", results='mine')")


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"batches": [1]}, "unknown argument 'batches'; nearest: batch"),
        ({"layer": "scale"}, "unknown argument 'layer'; nearest: layers"),
        ({"results": ""}, "'' is not a folder"),
        ({"results": 3}, "3 is not a folder"),
        ({"passes": 0}, "passes 0 is not 1 or more"),
        ({"max_memory_bytes": "much"}, "write one such as 512MiB"),
        ({"max_memory_bytes": 0}, "max_memory_bytes = 0 is not a number of bytes"),
        ({"max_memory_bytes": 2**60}, "is more than this machine's"),
    ],
)
def test_a_mistake_is_told_before_anything_is_kept(
    given: dict[str, Any], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as error:
        harness.run(**{"suites": SUITE, "framework": "fake", **given})
    assert complaint in str(error.value)
    assert not list(tmp_path.iterdir())
