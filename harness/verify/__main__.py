"""``python -m harness.verify [NAMES] [--markdown FILE]``: runs proofs and prints their table."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from harness import checks, faults
from harness.types import UsageError
from harness.verify import table
from harness.verify.row import Row, Verdict, judged

PROOFS = {
    "known-cost": "known_cost",
    "agreement": "agreement",
    "coverage": "coverage",
    "repeats": "repeats",
    "memory": "memory",
    "work": "work",
    "parity": "parity",
}
"""Module by name, in the order in which they run."""
COMPARISONS = {
    "cost": "cost",
    "attention": "attention",
    "gate-same": "gate.same",
    "gate-power": "gate.power",
    "gate-cost": "gate.cost",
    "gate-real": "gate.real",
    "history": "history",
    "scale": "scale",
    "kills": "kills",
    "soak": "soak",
}
"""What the harness itself costs, attention beside what others published, a million rows, runs that
are killed, one that lasts, and the gate, which takes hours: asked for by name."""
_ALL = (*PROOFS, *COMPARISONS)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if every check holds, 3 if one fails, 2 if a name is unknown."""
    parser = argparse.ArgumentParser(prog="python -m harness.verify", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of: {', '.join(_ALL)}; all proofs if none")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the tables into this file's section"
    )
    parser.add_argument(
        "--points", type=int, default=100, metavar="N", help="how often kills kills a run"
    )
    parser.add_argument(
        "--hours", type=float, default=2, metavar="H", help="that soak samples real layers"
    )
    given = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    try:
        names = checks.choose("proof", given.names or PROOFS, _ALL)
        if given.markdown:
            table.check(given.markdown, names)  # before minutes are spent
        options = {"kills": {"points": given.points}, "soak": {"hours": given.hours}}
        verdicts = set()
        for name, rows in _run(names, console, options):
            verdicts |= {row.verdict for row in rows}
            if given.markdown:
                table.write(given.markdown, {name: rows})
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 3 if Verdict.FAILS in verdicts else 0


def _run(
    names: Iterable[str], console: Console, options: Mapping[str, Mapping[str, float]]
) -> Iterable[tuple[str, list[Row]]]:
    for name in names:
        module = importlib.import_module(f"harness.verify.{(PROOFS | COMPARISONS)[name]}")
        start = time.monotonic()
        rows = list(_to_its_end(name, module.rows(**options.get(name, {}))))
        console.print(table.rendered(name, rows, time.monotonic() - start))
        yield name, rows


def _to_its_end(name: str, rows: Iterable[Row]) -> Iterator[Row]:
    """A proof that breaks off has failed, and the others still run."""
    try:
        yield from rows
    except Exception as error:
        traceback.print_exc()
        yield judged(f"{name}, to its end", "no error", faults.told(error), False)


if __name__ == "__main__":
    sys.exit(main())
