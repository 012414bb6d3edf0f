"""What the proofs of the gate have in common: one run of it, and a machine that is kept busy."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from harness.gate.outcome import Outcome, Verdict
from harness.regress import Asked, Given, regress
from harness.runner import Request

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


@contextlib.contextmanager
def hogs() -> Iterator[None]:
    """A program on every core that never rests."""
    busy = [
        subprocess.Popen([sys.executable, "-c", _HOG]) for _ in range(len(os.sched_getaffinity(0)))
    ]
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
