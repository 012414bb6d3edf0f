"""The same cases through pytest-benchmark."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from fake_runs import SUITE

import harness

SWEEP = """
layers = ["scale", "fault", "training_only", "wrong_output"]
framework = ["fake"]
device = ["cpu"]
mode = ["forward"]
execution = ["eager"]
dtype = ["float32"]
threads = [1]
batch = [2]
seq = [1]
"""


def test_ids_statuses_and_times_are_those_of_the_workers(tmp_path: Path) -> None:
    root = Path(harness.__file__).parents[1]
    sweep = tmp_path / "mine.toml"
    sweep.write_text(SWEEP, encoding="utf-8")
    found = tmp_path / "found.json"
    # pytest-benchmark measures nothing where it believes itself to be in a process of pytest-xdist.
    alone = {name: value for name, value in os.environ.items() if "XDIST" not in name}
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "suites", "--benchmark-only", "-q", "-rA"),
            *("-p", "no:cacheprovider", f"--benchmark-json={found}"),
            *(f"--layerbench-sweep={sweep}", f"--layerbench-suite={SUITE}"),
        ],
        cwd=root,
        env={**alone, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert "1 passed, 1 skipped, 2 failed" in ran.stdout.replace(
        "2 failed, 1 passed, 1 skipped", "1 passed, 1 skipped, 2 failed"
    ), ran.stdout
    assert "mismatch: output differs" in ran.stdout
    assert "error: ValueError: this layer always raises" in ran.stdout
    assert "only in training" in ran.stdout
    (benchmark,) = json.loads(found.read_text(encoding="utf-8"))["benchmarks"]
    assert benchmark["params"] == {"layer_case": benchmark["param"]}
    assert benchmark["param"] == "scale/fake/cpu/forward/eager/float32/b2-us=20"
    assert abs(benchmark["stats"]["median"] / 20e-6 - 1) < 1e-3
