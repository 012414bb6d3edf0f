"""What a page can be narrowed by, and which values of it rows have.

An element of a page about some rows carries their values, a line each, in attributes such as
``data-layer``; the page's script hides it if none of them is the one asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.compare import configuration_order
from harness.report.rows import Row, mode_order
from harness.report.table import Table

NAMES = ("layer", "framework", "device", "mode", "dtype")


def of(rows: Iterable[Row]) -> dict[str, str]:
    """The values of each facet that these rows have."""
    members = list(rows)
    return {name: lines(getattr(row, name) for row in members) for name in NAMES}


def lines(values: Iterable[str]) -> str:
    """Each value once, on a line of its own."""
    return "\n".join(dict.fromkeys(filter(None, map(_on_one_line, values))))


def choices(rows: Sequence[Row]) -> dict[str, list[str]]:
    """The facets of which these rows have several values, and the values in the usual order."""
    orders: dict[str, Callable[[str], Any]] = {
        "layer": str,
        "framework": lambda name: configuration_order(name, ""),
        "mode": mode_order,
    }
    found = {name: of(rows)[name].split("\n") for name in NAMES}
    for name, order in orders.items():
        found[name].sort(key=order)
    return {name: values for name, values in found.items() if len(values) > 1}


def narrowed(table: Table, names: Iterable[str]) -> Table:
    """The table with these facets only: the others have one value in all of the page."""
    kept = set(names)
    return replace(
        table,
        facets=tuple(
            {name: value for name, value in row.items() if name in kept} for row in table.facets
        ),
    )


def of_configurations(row: Mapping[str, object], *configurations: str) -> dict[str, str]:
    """Of a row of a comparison, with the frameworks of what it compares."""
    names = [name for name in NAMES if name in row]
    found = {name: lines([str(row[name])]) for name in names}
    return {**found, "framework": lines(text.rpartition(" ")[0] for text in configurations)}


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
