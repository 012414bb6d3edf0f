"""Head's figures for github-action-benchmark, tool ``customSmallerIsBetter``.

Format: README and ``src/extract.ts`` of benchmark-action/github-action-benchmark.
"""

from __future__ import annotations

import json
from typing import Any

from harness import units
from harness.gate.outcome import METRICS, CaseOutcome, Finding, Outcome
from harness.report.gate import figures, wording
from harness.report.text import printable


def render(outcome: Outcome) -> str:
    """A list of entries, one a figure; empty if nothing ran on head, which the action refuses."""
    entries = [_entry(case, found, value) for case, found, value in figures.of_head(outcome)]
    return json.dumps(entries, indent=1, allow_nan=False) + "\n"


def _entry(case: CaseOutcome, found: Finding, value: float) -> dict[str, Any]:
    base, _ = wording.figures(found)
    extra = [f"verdict: {found.verdict}", f"base: {base}", f"head / base: {wording.ratio(found)}"]
    entry = {
        "name": _name(f"{case.case} {METRICS[found.metric].name}"),
        "unit": figures.unit(found.metric),
        "value": value,
        "extra": "\n".join(extra),
    }
    if found.ratio and not METRICS[found.metric].exact:
        entry["range"] = f"± {units.percent(found.ratio.relative_half_width)}"
    return entry


def _name(text: str) -> str:
    """On one line and without backticks: the action's comments put it between two, in a table."""
    return " ".join(printable(text).split()).replace("`", "'").replace("|", "/")
