"""What both sides are measured on."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.regress.sides import Checkout
from harness.runner.measure import Effort
from harness.runner.process import WorkerProcess
from harness.runner.workers import compiled_folder, reference_folder, start
from harness.store import Journal
from harness.types import Bench

SIDES = ("base", "head")


@dataclass(frozen=True)
class Ground:
    """Where and how both sides are measured.

    Attributes:
        checkouts: by side.
        folder: for logs and the references' answers.
        journal: where everything goes at once.
        effort: how long to warm up, and when to give up.
        deadline: on the monotonic clock; None for no limit.
    """

    checkouts: Mapping[str, Checkout]
    folder: Path
    journal: Journal
    effort: Effort
    deadline: float | None

    def affordable(self, seconds: float = 0.0) -> bool:
        """Whether the budget has so many seconds left."""
        return self.deadline is None or time.monotonic() + seconds <= self.deadline

    def clear(self) -> None:
        """Removes what only the workers needed."""
        for side in SIDES:
            for made in (reference_folder, compiled_folder):
                shutil.rmtree(made(self.folder / side), ignore_errors=True)

    def worker(self, side: str, bench: Bench, probe: str) -> WorkerProcess:
        """A fresh worker with the side's code, whose greeting is still to come."""
        checkout = self.checkouts[side]
        folder = self.folder / side
        folder.mkdir(exist_ok=True)
        return start(bench, probe, folder, checkout.suites, code=checkout.code)
