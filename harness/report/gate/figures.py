"""Head's figures, for tools that keep a figure a commit."""

from __future__ import annotations

from collections.abc import Iterator

from harness.gate.outcome import METRICS, CaseOutcome, Finding, Outcome
from harness.types import Status

NANOSECONDS = 1e9


def of_head(outcome: Outcome) -> Iterator[tuple[CaseOutcome, Finding, float]]:
    """The figures of the cases that ran on head, times in ns.

    What failed is left out: a case that crashed has no figure, one that computes something else
    has a meaningless one, and these tools would draw a null as the best of all.
    """
    for case in outcome.cases:
        if case.head_status != Status.OK:
            continue
        for found in case.findings:
            if found.head is not None:
                timed = METRICS[found.metric].unit == "s"
                yield case, found, found.head * NANOSECONDS if timed else found.head


def unit(metric: str) -> str:
    """The unit of what `of_head` gives."""
    return "ns" if METRICS[metric].unit == "s" else METRICS[metric].unit
