"""One run of the gate: plans both sides, counts, duels, decides, and writes down what it found."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from harness.devices import machine
from harness.gate.counts import Figures, findings
from harness.gate.outcome import METRICS, Outcome, Verdict
from harness.gate.procedure import ERROR_RATE, decide
from harness.regress import counts
from harness.regress.duel import Duel, Progress
from harness.regress.ground import SIDES, Ground
from harness.regress.plans import SidePlan, plan
from harness.regress.sides import Checkout, Given, checked_out, homes
from harness.regress.verdicts import Evidence, outcomes
from harness.runner import Request
from harness.runner.measure import Effort
from harness.store import Journal
from harness.store.journal import write_atomically
from harness.store.writing import writing
from harness.types import Case, UsageError

OUTCOME_FILE = "outcome.json"
WARM_UP_S = 0.1
"""Of sampling time, by which the longest warm-up is set."""
CONFIRMED_BY = 2
"""Further readings of a peak of memory that looks changed; the median of all counts."""

OnProgress: TypeAlias = Callable[[str], None]
"""Told what is being done."""


@dataclass(frozen=True)
class Asked:
    """What to compare, and how.

    Attributes:
        base, head: the sides.
        request: what to measure; its passes, budget and sampling are not used.
        threshold: relative change that counts, 0.05 for 5 %.
        budget_s: seconds for everything; None for as long as the decision takes.
        results: folder under which what is measured is kept.
        command: what to type to do it again.
    """

    base: Given
    head: Given
    request: Request
    threshold: float
    budget_s: float | None
    results: Path
    command: str


def regress(asked: Asked, on_progress: OnProgress) -> tuple[Outcome, Path]:
    """Compares the two sides; what it found, and the folder in which that is kept.

    Raises:
        UsageError: there is no such side, or what is asked for is in neither.
        InfrastructureError: a side's code cannot be checked out or imported.
    """
    start = time.monotonic()
    now = datetime.now(UTC)
    this = machine.describe()
    with contextlib.ExitStack() as stack:
        on_progress("looking at both sides")
        given = {"base": asked.base, "head": asked.head}
        among = homes(*given.values())
        checkouts = {
            side: stack.enter_context(checked_out(given[side], asked.request.suites, among))
            for side in SIDES
        }
        if asked.request.suites and not any(checkouts[side].suites for side in SIDES):
            raise UsageError(f"suite {asked.request.suites[0]} is in neither side")
        plans = {side: plan(side, checkouts[side], asked.request) for side in SIDES}
        for name, reason in plans["head"].unknown.items():
            if name in plans["base"].unknown:
                raise UsageError(reason)
        folder = asked.results / str(this["machine_id"]) / _name(now)
        with writing(asked.results, "name another folder with --results"):
            folder.mkdir(parents=True)
        with Journal(folder) as journal:
            timeout_s = max(plans[side].timeout_s for side in SIDES)
            deadline = None if asked.budget_s is None else start + asked.budget_s
            effort = Effort(0.01, WARM_UP_S, timeout_s)
            ground = Ground(checkouts, folder, journal, effort, deadline)
            try:
                evidence, versions = _measured(asked, plans, ground, on_progress)
            finally:
                ground.clear()
    outcome = Outcome(
        **{
            side: replace(checkouts[side].side, python=plans[side].python, versions=versions[side])
            for side in SIDES
        },
        threshold=asked.threshold,
        error_rate=ERROR_RATE,
        started_at=now.isoformat(timespec="seconds"),
        seconds=time.monotonic() - start,
        budget_s=asked.budget_s,
        machine=this,
        command=asked.command,
        cases=tuple(outcomes(plans["base"], plans["head"], evidence)),
        notes=tuple(_notes(checkouts, evidence, ground)),
    )
    text = json.dumps(outcome.to_json(), indent=1, ensure_ascii=False, allow_nan=False)
    with writing(folder, "make room"):
        write_atomically(folder / OUTCOME_FILE, text.encode())
    return outcome, folder


def _name(now: datetime) -> str:
    return f"{now:%Y%m%d-%H%M%S}-gate-{secrets.token_hex(2)}"


def _measured(
    asked: Asked, plans: Mapping[str, SidePlan], ground: Ground, on_progress: OnProgress
) -> tuple[Evidence, Mapping[str, Mapping[str, str]]]:
    """All evidence, and the versions of the frameworks that ran, by side."""
    base, head = (plans[side] for side in SIDES)
    cases = {
        case: head.cases[case]
        for case in head.cases
        if case in base.cases and case not in {**base.ruled_out, **head.ruled_out}
    }
    counted = _counted(cases, ground, asked.threshold, on_progress)

    def told(at: Progress) -> None:
        on_progress(f"pair {at.pair}, {at.left} left: {at.case}")

    duel = Duel(cases, ground, asked.request.seed, told)
    decisions = decide(list(cases), duel.another, asked.threshold)
    return Evidence(decisions, duel.found, counted, asked.threshold), duel.versions


def _counted(
    cases: Mapping[str, Case], ground: Ground, threshold: float, on_progress: OnProgress
) -> dict[str, dict[str, Figures]]:
    """Counts; a peak of memory that looks changed is read again in fresh processes."""

    def told(case: str) -> None:
        on_progress(f"memory and counts: {case}")

    readings = [counts.count(list(cases.values()), ground, told)]
    doubtful = [
        cases[case]
        for case, of in readings[0].items()
        if len(of) == len(SIDES) and _changed(of["base"], of["head"], threshold)
    ]
    if doubtful:
        readings += [counts.count(doubtful, ground, told) for _ in range(CONFIRMED_BY)]
    return {
        case: {
            side: counts.median([of[case][side] for of in readings if side in of.get(case, {})])
            for side in sides
        }
        for case, sides in readings[0].items()
    }


def _changed(base: Figures, head: Figures, threshold: float) -> bool:
    found = (one for one in findings(base, head, threshold) if not METRICS[one.metric].exact)
    return any(one.verdict is not Verdict.SAME for one in found)


def _notes(checkouts: Mapping[str, Checkout], evidence: Evidence, ground: Ground) -> Iterator[str]:
    for side, checkout in checkouts.items():
        for file in checkout.lacking:
            yield f"{side} has no {Path(file).name}"
    crashed = [
        f"{case} on {side}, {failure.reason}"
        for case, found in evidence.found.items()
        for side in SIDES
        if side in found.facts and not found.failed(side)
        for failure in found.failures[side]
    ]
    for text in crashed:
        yield f"failed once, and not when tried again: {text}"
    if not ground.affordable():
        yield "the budget ended before everything was decided; a larger --budget allows more pairs"
