"""What both sides are measured on."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.regress.budget import Budget
from harness.regress.sides import Checkout, check_own
from harness.runner.process import WorkerProcess
from harness.runner.sampling import Ask, Effort
from harness.runner.workers import reference_folder, start
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
        budget: how long all may take.
    """

    checkouts: Mapping[str, Checkout]
    folder: Path
    journal: Journal
    effort: Effort
    budget: Budget

    def clear(self) -> None:
        """Removes what only the workers needed."""
        for side in SIDES:
            for made in (reference_folder(self.folder / side), self._compiled(side)):
                shutil.rmtree(made, ignore_errors=True)

    def check_modules(self, side: str, ask: Ask) -> None:
        """Makes sure that a worker has imported no code that is not its side's.

        Raises:
            InfrastructureError: it has, so that both sides would measure the same.
        """
        checkout = self.checkouts[side]
        if checkout.elsewhere:
            where = {"elsewhere": checkout.elsewhere, "own": checkout.root}
            answer = ask(self.effort.timeout_s, do="modules", **where)
            check_own(side, checkout, answer["modules"])

    def counting(self, side: str, bench: Bench) -> WorkerProcess:
        """A fresh worker with the side's code, to read memory and counts."""
        return self._start(side, bench, "memory", None)

    def duelling(self, side: str, bench: Bench, cold: bool) -> WorkerProcess:
        """A fresh worker with the side's code, to take turns with another one.

        It finds nothing that was compiled before if it is `cold`, so that its first call compiles,
        or else what the side's other workers that are not have left.
        """
        compiled = self._compiled(side)
        compiled.mkdir(parents=True, exist_ok=True)
        if cold:
            compiled = Path(tempfile.mkdtemp(dir=compiled))
        return self._start(side, bench, "duel", compiled)

    def _start(self, side: str, bench: Bench, probe: str, compiled: Path | None) -> WorkerProcess:
        checkout = self.checkouts[side]
        folder = self.folder / side
        folder.mkdir(exist_ok=True)
        return start(bench, probe, folder, checkout.suites, code=checkout.code, compiled=compiled)

    def _compiled(self, side: str) -> Path:
        """What one side has compiled must not spare the other its compiling."""
        return self.folder.resolve() / side / "compiled"
