"""Fuzzes what reads files for as long as one likes: `python -m tools.fuzz --minutes 10`.

The targets are those of the short fuzz in the tests (tests/fuzzed.py), with other inputs each time.
Ends with 1 if one of them broke its property, and prints that input as an example for the tests.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from rich.console import Console

from harness import units
from harness.verify import table
from harness.verify.row import Row, Verdict, judged, noted

ROOT = Path(__file__).resolve().parents[1]
NAME = "fuzz"
"""Of the section in docs/validity.md."""
ROUND = 50
"""Inputs between two looks at the clock; each round draws others."""


@dataclass
class Tally:
    """What came of one target.

    Attributes:
        inputs: how many were tried.
        slowest_s: seconds that one of them took at most.
        failures: the first input, and its traceback, by where it was raised.
    """

    inputs: int = 0
    slowest_s: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)

    def row(self, name: str) -> Row:
        """As a line of a table."""
        failures = units.count(len(self.failures), "distinct failure")
        found = f"{failures} in {self.inputs:,} inputs, the slowest {units.seconds(self.slowest_s)}"
        return judged(name, "0 distinct failures", found, not self.failures)


def fuzz(target: Any, until: float) -> Tally:
    """Tries inputs until that time by `time.monotonic`.

    Args:
        target: a ``Target`` of tests/fuzzed.py.
        until: when to end.
    """
    tally = Tally()

    def tried(drawn: Any) -> None:
        begun = time.monotonic()
        try:
            target.holds(drawn)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            key = f"{type(error).__name__} at {place.filename}:{place.lineno}"
            told = "".join(traceback.format_exception(error))
            tally.failures.setdefault(key, f"{drawn!r}\n{told}")
        tally.inputs += 1
        tally.slowest_s = max(tally.slowest_s, time.monotonic() - begun)

    a_round: Any = settings(
        max_examples=ROUND,
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    one_round: Any = given(target.inputs)
    while time.monotonic() < until:
        a_round(one_round(tried))()
    return tally


def rows(minutes: float, only: str) -> Iterator[Row]:
    """A line for each target, between which the time is divided, and what to know of all."""
    sys.path.insert(0, str(ROOT / "tests"))
    targets = importlib.import_module("fuzzed").targets()
    chosen = [target for target in targets if target.name.startswith(only)]
    commit = _commit()
    begun = time.monotonic()
    inputs = 0
    for number, target in enumerate(chosen, start=1):
        tally = fuzz(target, begun + minutes * 60 * number / len(chosen))
        inputs += tally.inputs
        for place, told in tally.failures.items():
            print(f"--- {place}\n{told}", flush=True)
        yield tally.row(target.name)
    yield noted("together", f"{inputs:,} inputs in {(time.monotonic() - begun) / 60:.0f} minutes")
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    yield noted("peak memory of the process, matplotlib and pandas in it", units.size(peak_bytes))
    yield noted("commit", commit)


def _commit() -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip()

    changes = " with local changes" if git("status", "--porcelain", "-uno") else ""
    return f"{git('rev-parse', 'HEAD')[:12] or 'unknown'}{changes}"


def main() -> int:
    """Prints the table, and writes it into a file's section if asked to."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--only", default="", help="targets whose name begins so")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="such as docs/validity.md")
    options = parser.parse_args()
    found = []
    begun = time.monotonic()
    for row in rows(options.minutes, options.only):
        found.append(row)
        print(f"{row.check}: {row.found}", flush=True)
    Console(width=os.get_terminal_size().columns if sys.stdout.isatty() else 160).print(
        table.rendered(NAME, found, time.monotonic() - begun)
    )
    if options.markdown:
        table.write(options.markdown, {NAME: found})
    return int(any(row.verdict is Verdict.FAILS for row in found))


if __name__ == "__main__":
    sys.exit(main())
