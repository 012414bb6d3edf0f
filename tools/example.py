"""Measures the example again, and renders the report that comes with the project: `make example`.

Nine short runs of three cases give these a history, the sweep `example` everything else, and a duel
of two commits what a gate tells. Run it on a quiet machine, from a tree without local changes: the
runs would tell of them. It takes about a quarter of an hour on 2 cores.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import store
from harness.verify.gate import real, repository

ROOT = Path(__file__).resolve().parents[1]
RESULTS, REPORTS = Path("results/example"), Path("reports/example")
OUTCOME = RESULTS / "outcome.json"
REPORT = ("report", str(RESULTS), f"--outcome={OUTCOME}", f"--out={REPORTS}")
"""The command that renders the example, from the root of the project."""

MEMORY = "1280MiB"
"""Of a worker: attention whose scores are written out runs out of it, and no other layer does."""
SHORT_RUNS = 9
"""With the sweep's own, as many as it takes to tell a change of three cases."""
FOLLOWED = (
    "lstm/torch/cpu/train/eager/float32/b8-s64-input_size=32-hidden_size=64",
    "multi_head_attention/torch/cpu/forward/eager/float32/b8-s128-heads=2-head_dim=64",
    "sdpa_flash/torch/cpu/forward/eager/float32/b1-s1024-heads=2-head_dim=64-causal=False-padding=0.0",
)
"""Cases of the sweep that the short runs measure as well."""
SIDES = ("--base=HEAD~1", "--head=HEAD", f"--suite={repository.SUITE}")
DUEL = (
    *SIDES,
    "--framework=torch",
    "--execution=eager",
    "--mode=forward,train",
    *real.SIZES,
    "--budget=5m",
)
_KEPT = ("run.json", "journal.jsonl")
"""Of a run: what all else is made from."""
_DONE = (0, 3)
"""Exit statuses of a run that came to its end; what runs out of memory makes it 3."""


def main() -> None:
    """Replaces the example by what is measured now."""
    short = ("--passes=1", *(f"--case={case}" for case in FOLLOWED))
    fresh = [_run(*short) for _ in range(SHORT_RUNS)]
    fresh.append(_run(f"--max-memory={MEMORY}"))
    outcome = _duel()
    for folder in (RESULTS, REPORTS):
        shutil.rmtree(ROOT / folder, ignore_errors=True)
    for run in fresh:
        kept = ROOT / RESULTS / run.parent.name / run.name
        kept.mkdir(parents=True)
        for name in _KEPT:
            shutil.copy(run / name, kept)
        shutil.rmtree(run)
    (ROOT / OUTCOME).write_text(outcome, encoding="utf-8")
    _layerbench(*REPORT)


def _run(*arguments: str) -> Path:
    """Measures; the folder of the run."""
    _layerbench("run", "example", *arguments)
    return store.latest_run(ROOT / "results")


def _duel() -> str:
    """What the gate found between two commits, of which the second drops a fused attention."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "library"
        repository.library(folder)
        # Of the second commit a layer is slower, so that the status is 1.
        _layerbench("regress", *DUEL, "--format=json=outcome.json", cwd=folder, done=(1,))
        return (folder / "outcome.json").read_text(encoding="utf-8")


def _layerbench(*arguments: str, cwd: Path = ROOT, done: tuple[int, ...] = _DONE) -> None:
    """Runs the command; it ends this program, with its status, unless that is one of `done`."""
    command = [sys.executable, "-m", "harness", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    status = subprocess.run(command, cwd=cwd, env=environment, check=False).returncode
    if status not in done:
        sys.exit(status)


if __name__ == "__main__":
    main()
