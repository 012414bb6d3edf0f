"""What a page can be narrowed by, and which values of it rows have.

An element of a page about some rows carries their values, a line each, in attributes such as
``data-layer``; the page's script hides it if none of them is the one asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from harness.compare import configuration_order
from harness.report.rows import Row, mode_order

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
    return several(of(rows))


def several(found: Mapping[str, str]) -> dict[str, list[str]]:
    """Of what `of` or `of_cases` gave the facets with several values, in the usual order."""
    orders: dict[str, Callable[[str], Any]] = {
        "layer": str,
        "framework": lambda name: configuration_order(name, ""),
        "mode": mode_order,
    }
    values = {
        name: sorted(text.split("\n"), key=orders[name]) if name in orders else text.split("\n")
        for name, text in found.items()
    }
    return {name: each for name, each in values.items() if len(each) > 1}


def of_configurations(row: Mapping[str, object], *configurations: str) -> dict[str, str]:
    """Of a row of a comparison, with the frameworks of what it compares."""
    names = [name for name in NAMES if name in row]
    found = {name: lines([str(row[name])]) for name in names}
    return {**found, "framework": lines(text.rpartition(" ")[0] for text in configurations)}


def of_cases(cases: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """Of rows that `harness.compare.runs` or `harness.compare.machines.against` returned."""
    members = list(cases)
    devices = ("base_device", "other_device", "device")
    return {
        **{name: lines(str(case[name]) for case in members) for name in NAMES},
        "device": lines(
            value
            for case in members
            for name in devices
            if isinstance(value := case.get(name), str)
        ),
    }


def of_case(case: str) -> dict[str, str]:
    """Those in a case's id, ``lstm/torch/cpu/train/eager/float32/b32``; none in other texts."""
    parts = case.split("/")
    if len(parts) != 7:
        return {}
    layer, framework, device, mode, _, dtype, _ = map(_on_one_line, parts)
    return dict(zip(NAMES, (layer, framework, device, mode, dtype), strict=True))


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
