"""Latencies of both sides for ``pytest-benchmark compare``.

One file holds both: each case is a group with one benchmark a side, so that
``pytest-benchmark compare FILE`` sets base beside head, case by case.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from harness.gate.outcome import CaseOutcome, Finding, Outcome, Side
from harness.types import Status

_VERSION = "5.1.0"
"""Of pytest-benchmark, as which the file is written."""


def render(outcome: Outcome) -> str:
    """The JSON that ``--benchmark-json`` would write; sides without a latency are left out."""
    data = {
        "machine_info": dict(outcome.machine),
        "commit_info": {"id": outcome.head.commit, "dirty": outcome.head.dirty},
        "benchmarks": [entry for case in outcome.cases for entry in _entries(outcome, case)],
        "datetime": outcome.started_at,
        "version": _VERSION,
    }
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


def _entries(outcome: Outcome, case: CaseOutcome) -> Iterator[dict[str, Any]]:
    found = case.finding("latency")
    if found is None:
        return
    if case.base_status == Status.OK and found.base:
        yield _entry("base", outcome.base, case, found, found.base)
    if case.head_status == Status.OK and found.head:
        yield _entry("head", outcome.head, case, found, found.head)


def _entry(
    name: str, side: Side, case: CaseOutcome, found: Finding, latency_s: float
) -> dict[str, Any]:
    return {
        "group": case.case,
        "name": name,
        "fullname": f"{case.case}[{name}]",
        "params": None,
        "param": None,
        "extra_info": {
            "given": side.given,
            "commit": side.commit,
            "verdict": found.verdict,
            "ratio": found.ratio.value if found.ratio else None,
            "ratio_low": found.ratio.low if found.ratio else None,
            "ratio_high": found.ratio.high if found.ratio else None,
        },
        "options": {},
        "stats": _stats(latency_s, found.pairs),
    }


def _stats(latency_s: float, pairs: int) -> dict[str, Any]:
    """One figure stands for all: a gate keeps the median of a side, and the spread of the ratio.

    The latter is in ``extra_info``; a deviation made up from it would be none of this side's.
    """
    places = ("min", "max", "mean", "median", "q1", "q3", "ld15iqr", "hd15iqr")
    return {
        **dict.fromkeys(places, latency_s),
        "stddev": 0.0,
        "iqr": 0.0,
        "iqr_outliers": 0,
        "stddev_outliers": 0,
        "outliers": "0;0",
        "rounds": max(1, pairs),
        "iterations": 1,
        "ops": 1 / latency_s,
        "total": latency_s * max(1, pairs),
    }
