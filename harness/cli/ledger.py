"""`layerbench list --coverage`: what becomes of each public name of the installed frameworks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table

from harness import coverage, units
from harness.cli import FAILED, GOOD
from harness.cli.console import plain
from harness.ledger import Entry, State


def show(*, as_json: bool) -> int:
    """Prints the ledger of what is installed here; fails if a name is missing from it."""
    known = coverage.own()
    here = {library: coverage.installed(library) for library in coverage.LIBRARIES}
    accounts = {
        library: coverage.accounts(known, found) for library, found in here.items() if found
    }
    if as_json:
        every = [asdict(entry) for found in accounts.values() for entry in found]
        print(json.dumps(every, indent=1, ensure_ascii=False))
    else:
        _print(accounts)
        for library, found in here.items():
            if found is None:
                print(f"{library}: not installed here")
                continue
            print(f"{library} {found.version}: {_counted(accounts[library])}")
            if gone := coverage.gone(known, found):
                print(f"  accounted for, and not in this version: {', '.join(gone)}")
    missing = any(e.state is State.MISSING for found in accounts.values() for e in found)
    return FAILED if missing else GOOD


def _print(accounts: dict[str, list[Entry]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "family", "state", "layers, or why none"):
        table.add_column(heading, overflow="fold")
    for found in accounts.values():
        for entry in sorted(found, key=lambda e: (e.state is not State.MISSING, e.family, e.name)):
            style = "bold red" if entry.state is State.MISSING else None
            table.add_row(entry.name, entry.family, entry.state, _told(entry), style=style)
    plain().print(table)


def _told(entry: Entry) -> str:
    layers = ", ".join(entry.layers)
    return f"{entry.detail}: {layers}" if entry.state is State.ALIAS else layers or entry.detail


def _counted(entries: Sequence[Entry]) -> str:
    """``169 names: 131 timed, 25 alias, 13 not applicable``."""
    found = Counter(entry.state for entry in entries)
    states = ", ".join(f"{found[state]} {state}" for state in State)
    return f"{units.count(len(entries), 'name')}: {states}"
