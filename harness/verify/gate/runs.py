"""What the proofs of the gate have in common: one run of it, and a machine that is kept busy."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from harness.gate.outcome import Outcome, Verdict
from harness.regress import Asked, Given, regress
from harness.runner import Request
from harness.verify import bench

THRESHOLD = 0.05
CHANGED = (Verdict.REGRESSION, Verdict.IMPROVEMENT)
_HOG = "while True: pass"


def run(base: str, head: str, request: Request) -> Outcome:
    """One run of the gate, of which nothing is kept; a line on standard error tells of it."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Asked(
            Given(base), Given(head), request, THRESHOLD, None, Path(folder), "layerbench regress"
        )
        outcome, _ = regress(asked, lambda text: None)
    tally = {str(verdict): len(outcome.of(verdict)) for verdict in Verdict}
    found = ", ".join(f"{count} {verdict}" for verdict, count in tally.items() if count)
    print(f"  {outcome.seconds:.0f} s: {found}", file=sys.stderr, flush=True)
    return outcome


@dataclass(frozen=True)
class Typed:
    """What the command found, its exit status, and the seconds from its start to its end."""

    outcome: Outcome
    status: int
    seconds: float


def typed(folder: Path, *arguments: str) -> Typed:
    """The gate as it is typed in a folder, by users and in CI.

    Raises:
        RuntimeError: it ends without an outcome; the message is the end of what it said.
    """
    with tempfile.TemporaryDirectory() as kept:
        file = Path(kept) / "outcome.json"
        writing = (f"--results={kept}", f"--format=json={file}")
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "harness", "regress", *arguments, *writing],
            check=False,
            cwd=folder,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(bench.ROOT)},
        )
        seconds = time.perf_counter() - start
        if not file.exists():
            raise RuntimeError(f"regress ended with {done.returncode}: {done.stderr[-1000:]}")
        return Typed(Outcome.from_text(file.read_bytes()), done.returncode, seconds)


def share_packages(site_packages: Path) -> None:
    """Gives another environment all packages of this one; its own come before them."""
    ours = [path for path in sys.path if path.endswith("-packages")]
    lines = "\n".join([str(bench.ROOT), *ours])
    (site_packages / "shared.pth").write_text(lines, encoding="utf-8")


@contextlib.contextmanager
def hogs() -> Iterator[None]:
    """A program on every core that never rests."""
    busy = [subprocess.Popen([sys.executable, "-c", _HOG]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


CONDITIONS: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "quiet": contextlib.nullcontext,
    "beside a hog on every core": hogs,
}
"""What the machine does meanwhile; quiet is as quiet as it is."""
