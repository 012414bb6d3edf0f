"""The command that compares two versions of the code, and closes the gate."""

from __future__ import annotations

import contextlib
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import RenderableType

from harness import store
from harness.checks import check_known
from harness.cli import GOOD, NOTHING
from harness.cli.asked import request_of_sweep
from harness.cli.console import plain, typed
from harness.cli.files import write
from harness.gate import history
from harness.gate.outcome import Outcome, Verdict
from harness.regress import WORKING_TREE, Asked, Given, regress
from harness.report import markdown, terminal
from harness.report.gate import FORMATS
from harness.report.gate import terminal as gate_terminal
from harness.types import HarnessError, InfrastructureError, UsageError

WORSE, INCONCLUSIVE = 1, 5
"""Exit statuses of the gate alone, beside those of every command."""


def regress_command(options: Namespace) -> int:
    """Measures both sides, or reads what was found before, and writes it as it was asked for."""
    formats: Sequence[tuple[str, str]] = options.format or ()
    if options.history is not None:
        return _history(options, formats)
    check_known("format", [name for name, _ in formats], FORMATS)
    measured = options.stored is None
    outcome = _measured(options) if measured else Outcome.from_file(Path(options.stored))
    _write(
        [(file, FORMATS[name](outcome)) for name, file in formats],
        lambda: gate_terminal.render(outcome),
    )
    return status(outcome, options.strict)


def _history(options: Namespace, formats: Sequence[tuple[str, str]]) -> int:
    """Change points over stored runs."""
    known = {"markdown": markdown.histories}
    check_known("format of a history", [name for name, _ in formats], known)
    frame, runs = store.load(options.history), store.load_runs(options.history)
    found = history.histories(frame, runs, options.threshold)
    _write(
        [(file, known[name](found)) for name, file in formats], lambda: terminal.histories(found)
    )
    return history.exit_status(found)


def _write(texts: Iterable[tuple[str, str]], table: Callable[[], RenderableType]) -> None:
    """Each text where it was asked to go; if none is on standard output, the table is."""
    if not write(texts):
        plain().print(table())


def status(outcome: Outcome, strict: bool) -> int:
    """The exit status: an empty gate never passes."""
    if outcome.bad:
        return WORSE
    if not outcome.compared:
        return NOTHING
    return INCONCLUSIVE if strict and outcome.of(Verdict.INCONCLUSIVE) else GOOD


def _measured(options: Namespace) -> Outcome:
    base, head = (
        Given(getattr(options, side) or WORKING_TREE, getattr(options, f"{side}_python"))
        for side in ("base", "head")
    )
    asked = Asked(
        base,
        head,
        request_of_sweep(options),
        options.threshold,
        options.budget,
        Path(options.results),
        f"layerbench {typed()}",
    )
    with _shown() as on_progress:
        try:
            outcome, folder = regress(asked, on_progress)
        except UsageError:
            raise
        except (HarnessError, OSError) as error:
            raise InfrastructureError(str(error)) from error
    print(f"results: {folder}", file=sys.stderr)
    return outcome


@contextlib.contextmanager
def _shown() -> Iterator[Callable[[str], None]]:
    """A line that changes, on standard error; where nobody watches, one a stage and pair."""
    console = plain(stderr=True)
    if console.is_terminal:
        with console.status("") as line:
            yield line.update
        return
    last = ""

    def tell(text: str) -> None:
        nonlocal last
        stage = text.partition(",")[0].partition(":")[0]
        if stage != last:
            console.print(stage)
            last = stage

    yield tell
