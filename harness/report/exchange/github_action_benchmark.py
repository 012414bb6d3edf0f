"""Figures for github-action-benchmark, tool ``customSmallerIsBetter``.

Format: README and ``src/extract.ts`` of benchmark-action/github-action-benchmark.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from harness import units
from harness.report.exchange.reading import Reading
from harness.report.text import printable


def render(readings: Iterable[Reading]) -> str:
    """A list of entries, one a figure; of no figures an empty one, which the action refuses."""
    return json.dumps(list(map(_entry, readings)), indent=1, allow_nan=False) + "\n"


def _entry(reading: Reading) -> dict[str, Any]:
    entry = {
        "name": _name(f"{reading.case} {reading.name}"),
        "unit": reading.unit,
        "value": reading.value,
        "extra": "\n".join(reading.notes),
    }
    if reading.interval:
        entry["range"] = f"± {units.percent(reading.interval.relative_half_width)}"
    return entry


def _name(text: str) -> str:
    """On one line and without backticks: the action's comments put it between two, in a table."""
    return " ".join(printable(text).split()).replace("`", "'").replace("|", "/")
