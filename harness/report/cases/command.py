"""The command that measures one case again as its run did."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from decimal import Decimal

from harness.report import provenance
from harness.report.provenance import Run
from harness.report.rows import Row
from harness.sweep import Sweep

_OPTIONS = {
    "passes": "--passes",
    "sample_s": "--sample-time",
    "rel_ci": "--rel-ci",
    "timeout_s": "--timeout",
}
"""By what a sweep calls it. No seed: it orders cases, and one case has one order."""


def command(row: Row, run: Run, usual: Sweep) -> str:
    """``layerbench run --passes 9 --case …``: what `layerbench run` would do otherwise is named.

    Args:
        row: of the case.
        run: what the ``run.json`` of its run holds; may be empty.
        usual: what a run has that names no sweep.
    """
    options = (f"{name} {shlex.quote(value)}" for name, value in _options(row, run, usual))
    return " ".join(["layerbench run", *options, "--case", shlex.quote(row.case_id)])


def _options(row: Row, run: Run, usual: Sweep) -> Iterator[tuple[str, str]]:
    suites = run.get("suites")
    for suite in suites if isinstance(suites, list | tuple) else ():
        yield "--suite", str(suite)
    told = {name: provenance.number(run, name) for name in _OPTIONS}
    if provenance.number(run, "budget_s") and not told["passes"]:
        told["passes"] = row.passes  # as many as fitted into the budget
    for name, option in _OPTIONS.items():
        value = told[name]
        if value and value != getattr(usual, name):
            yield option, f"{Decimal(str(value)):f}"  # options know no 1e-05
    if limit := provenance.number(run, "max_memory_bytes"):
        yield "--max-memory", str(int(limit))
