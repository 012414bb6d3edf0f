"""``python -m harness.verify [NAMES] [--markdown FILE]``: runs proofs and prints their table."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console

from harness import checks
from harness.types import UsageError
from harness.verify import table
from harness.verify.row import Row, Verdict

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
COST = "cost"
"""What the harness itself costs: asked for by name, as it is a comparison and no proof."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if every check holds, 3 if one fails, 2 if a name is unknown."""
    parser = argparse.ArgumentParser(prog="python -m harness.verify", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of: {', '.join((*PROOFS, COST))}; all but cost")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the tables into this file's section"
    )
    given = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    try:
        names = checks.choose("proof", given.names or PROOFS, (*PROOFS, COST))
        if given.markdown:
            table.check(given.markdown, names)  # before minutes are spent
        found = dict(_run(names, console))
        if given.markdown:
            table.write(given.markdown, found)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 3 if any(row.verdict is Verdict.FAILS for rows in found.values() for row in rows) else 0


def _run(names: Iterable[str], console: Console) -> Iterable[tuple[str, list[Row]]]:
    for name in names:
        module = importlib.import_module(f"harness.verify.{PROOFS.get(name, name)}")
        start = time.monotonic()
        rows = list(module.rows())
        console.print(table.rendered(name, rows, time.monotonic() - start))
        yield name, rows


if __name__ == "__main__":
    sys.exit(main())
