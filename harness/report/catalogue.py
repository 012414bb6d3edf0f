"""Every public name of the frameworks measured, and what these results have of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness import units
from harness.ledger import Entry, State
from harness.report.rows import NOT_MEASURED, Row
from harness.report.table import Cell, Table
from harness.types import Status

PACKAGES = {"torch": "torch", "tensorflow": "keras"}
"""Whose names a framework times."""
NOT_HERE = "not in these results"


@dataclass(frozen=True)
class Section:
    """Empty if the results are of no framework that has a ledger.

    Attributes:
        sentences: one a module, with its counts.
        table: each name.
    """

    sentences: Sequence[str]
    table: Table

    def __bool__(self) -> bool:
        return bool(self.table)


def section(ledger: Mapping[str, Entry], rows: Iterable[Row]) -> Section:
    """Of the modules whose framework is in these rows."""
    statuses: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in rows:
        statuses[PACKAGES.get(row.framework, ""), row.layer][row.status] += 1
    measured = {package for package, _ in statuses}
    told = [
        (entry, _found(entry, statuses))
        for entry in ledger.values()
        if entry.name.partition(".")[0] in measured
    ]
    header = ("Name", "Family", "State", "Layers, or why none", "In these results")
    return Section(list(_sentences(told)), Table.of(header, (_row(*one) for one in told)))


def _found(entry: Entry, statuses: Mapping[tuple[str, str], Counter[str]]) -> Counter[str]:
    """Of the rows of its layers in its framework, how many have which status."""
    package = entry.name.partition(".")[0]
    return sum((statuses.get((package, layer), Counter()) for layer in entry.layers), Counter())


def _row(entry: Entry, found: Counter[str]) -> Iterator[Cell | str]:
    layers = ", ".join(entry.layers)
    yield entry.name
    yield entry.family
    yield entry.state
    yield f"{entry.detail}: {layers}" if entry.state is State.ALIAS else layers or entry.detail
    if not entry.layers:
        yield ""
    elif not found:
        yield Cell(NOT_HERE, tone="muted")
    else:
        good = set(found) <= {Status.OK, *NOT_MEASURED}
        text = ", ".join(f"{count:,} {status}" for status, count in found.most_common())
        yield Cell(text, tone="" if good else "bad")


def _sentences(told: Sequence[tuple[Entry, Counter[str]]]) -> Iterator[str]:
    libraries = dict.fromkeys(entry.library for entry, _ in told)
    for library in libraries:
        of_it = [(entry, found) for entry, found in told if entry.library == library]
        states = Counter(entry.state for entry, _ in of_it)
        here = sum(entry.state is State.TIMED and found[Status.OK] > 0 for entry, found in of_it)
        yield (
            f"`{library}`: {units.count(len(of_it), 'public name')}, "
            f"{states[State.TIMED]} of them timed ({here} with a latency in these results), "
            f"{states[State.ALIAS]} other names of these, "
            f"{states[State.NOT_APPLICABLE]} without work to time."
        )
