"""Layers as people happen to declare them: each gets its row, and a reason one can act on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fake_runs import SUITE, request

import harness
from harness import runner
from harness.types import UsageError

Measured = Callable[..., pd.DataFrame]


def test_counts_and_errors_may_be_numpy_scalars(measured: Measured) -> None:
    row = measured(layers=("numpy_counts",), axes={"mode": ["train"]}).iloc[0]
    assert row["status"] == "ok", row["reason"]
    assert row["flops"] == 8 + 16 + 2
    assert row["bytes"] == 4 * (9 + (9 + 8 + 1) + 3)
    assert row["parity_error"] == 0.25


@pytest.mark.parametrize(
    ("layer", "status", "reason"),
    [
        ("nan_check", "mismatch", "the layer's own check gives nan"),
        ("zero", "ok", ""),
        ("wrong_shape", "mismatch", "output has shape (2, 1, 4), the layer declares (2, 4)"),
        ("raises_when_planned", "error", "ZeroDivisionError: division by zero (fake_suite.py"),
        ("exits_when_planned", "error", "SystemExit: 0 (fake_suite.py"),
    ],
)
def test_an_odd_layer_costs_its_own_row(
    measured: Measured, layer: str, status: str, reason: str
) -> None:
    frame = measured(layers=(layer, "scale"), axes={"mode": ["train"]}).set_index("layer")
    assert frame.loc["scale", "status"] == "ok"
    assert frame.loc[layer, "status"] == status
    assert reason in frame.loc[layer, "reason"]


def test_a_mismatch_carries_its_error(measured: Measured) -> None:
    row = measured(layers=("wrong_output",)).iloc[0]
    assert row["status"] == "mismatch"
    assert row["parity_error"] > 0.5


def test_a_layer_that_forgot_has_seq_is_refused_before_anything_is_measured() -> None:
    with pytest.raises(UsageError, match=r"needs_seq: c\.seq of a layer .* declare has_seq=True"):
        _ = runner.make_plan(request(layers=("needs_seq",))).measurable


@pytest.mark.parametrize("hidden", ["torch.py", "numpy.py", "suites/__init__.py", "harness.py"])
def test_files_where_the_user_stands_are_not_taken_for_ours(tmp_path: Path, hidden: str) -> None:
    trap = tmp_path / hidden
    trap.parent.mkdir(exist_ok=True)
    trap.write_text("raise RuntimeError('a file of the user was imported')\n", encoding="utf-8")
    root = str(Path(harness.__file__).parents[1])
    code = (
        f"import sys; sys.path.insert(0, {root!r}); sys.path.append({str(Path(SUITE).parent)!r})\n"
        "from pathlib import Path; from fake_runs import request\n"
        "from harness import runner, store\n"
        "plan = runner.make_plan(request())\n"
        "run = runner.begin(plan, Path('out'), 'test')\n"
        "runner.execute(run, plan.layers, lambda event: None)\n"
        "print(store.load(run.folder)['status'].tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.strip() == "['ok']", done.stderr[-500:]


def test_a_module_beside_where_the_user_stands_is_a_suite(tmp_path: Path) -> None:
    source = Path(SUITE).read_text(encoding="utf-8")
    (tmp_path / "layers_of_mine.py").write_text(source, encoding="utf-8")
    root = str(Path(harness.__file__).parents[1])
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "harness", "run", "--suite", "layers_of_mine"),
            *("--layer", "scale", "--framework", "fake", "--execution", "eager", "--passes", "1"),
            *("--mode", "forward", "--batch", "1"),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-500:]
    (journal,) = (tmp_path / "results").rglob("journal.jsonl")
    records: list[dict[str, Any]] = list(map(json.loads, journal.read_text().splitlines()))
    assert [r["status"] for r in records if r["kind"] == "measurement"] == ["ok", "ok"]
