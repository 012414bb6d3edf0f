"""One run of the gate: plans both sides, counts, duels, decides, and writes down what it found."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from harness.devices import machine
from harness.gate.counts import Figures, findings
from harness.gate.outcome import Outcome, Verdict
from harness.gate.procedure import ERROR_RATE, decide
from harness.regress import counts
from harness.regress.budget import Budget
from harness.regress.duel import Duel, Progress
from harness.regress.ground import SIDES, Ground
from harness.regress.plans import SidePlan, plan
from harness.regress.sides import Checkout, Given, checked_out, homes, set_apart
from harness.regress.verdicts import Evidence, outcomes
from harness.runner import Request
from harness.runner.sampling import Effort
from harness.store import Journal
from harness.store.writing import save, writing
from harness.types import Case, InfrastructureError, UsageError

OUTCOME_FILE = "outcome.json"
WARM_UP_S = 0.1
"""Of sampling time, by which the longest warm-up is set."""
CONFIRMED_BY = 2
"""Further readings of a case whose memory or counts look changed."""
COUNTS_SHARE = 0.5
"""Of the budget, at most; the rest is the duel's."""

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
        InfrastructureError: a side's code cannot be checked out, or base's not be imported or
            started.
    """
    start = time.monotonic()
    budget = Budget(asked.budget_s)
    now = datetime.now(UTC)
    this = machine.describe()
    with contextlib.ExitStack() as stack:
        on_progress("looking at both sides")
        given = {"base": asked.base, "head": asked.head}
        among = homes(*given.values())
        checkouts = set_apart(
            {
                side: stack.enter_context(checked_out(given[side], asked.request.suites, among))
                for side in SIDES
            }
        )
        if asked.request.suites and not any(checkouts[side].suites for side in SIDES):
            raise UsageError(f"suite {asked.request.suites[0]} is in neither side")
        plans = {side: plan(side, checkouts[side], asked.request) for side in SIDES}
        _check(plans["base"], plans["head"])
        folder = asked.results / str(this["machine_id"]) / _name(now)
        with writing(asked.results, "name another folder with --results"):
            folder.mkdir(parents=True)
        with Journal(folder) as journal:
            timeout_s = max(plans[side].timeout_s for side in SIDES)
            effort = Effort(0.01, WARM_UP_S, timeout_s)
            ground = Ground(checkouts, folder, journal, effort, budget)
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
        notes=tuple(_notes(checkouts, plans, evidence, budget)),
    )
    try:
        save(folder / OUTCOME_FILE, outcome.to_text(), "make room")
    except UsageError as error:  # what was found is not lost for it
        outcome = replace(outcome, notes=(*outcome.notes, str(error)))
    return outcome, folder


def _check(base: SidePlan, head: SidePlan) -> None:
    """Whether there is anything to compare."""
    if base.absent and head.absent:
        raise UsageError(head.absent)
    if base.broken:
        raise InfrastructureError(base.broken)
    for name, reason in head.unknown.items():
        if name in base.unknown:
            raise UsageError(reason)


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
    if reason := duel.never_started("base"):
        raise InfrastructureError(f"no worker of base could be started: {reason}")
    return Evidence(decisions, duel.found, counted, asked.threshold), duel.versions


def _counted(
    cases: Mapping[str, Case], ground: Ground, threshold: float, on_progress: OnProgress
) -> dict[str, dict[str, Figures]]:
    """Memory and counts; what looks changed is read again in fresh processes."""

    def told(case: str) -> None:
        on_progress(f"memory and counts: {case}")

    budget = ground.budget.part(COUNTS_SHARE)
    readings = [counts.count(list(cases.values()), ground, budget, told)]
    doubtful = [
        cases[case]
        for case, of in readings[0].items()
        if len(of) == len(SIDES) and _changed(of["base"], of["head"], threshold)
    ]
    if doubtful:
        readings += [counts.count(doubtful, ground, budget, told) for _ in range(CONFIRMED_BY)]
    return {
        case: {
            side: counts.together([of[case][side] for of in readings if side in of.get(case, {})])
            for side in sides
        }
        for case, sides in readings[0].items()
    }


def _changed(base: Figures, head: Figures, threshold: float) -> bool:
    unchanged = (Verdict.SAME, Verdict.NOT_COMPARED)
    return any(one.verdict not in unchanged for one in findings(base, head, threshold))


def _notes(
    checkouts: Mapping[str, Checkout],
    plans: Mapping[str, SidePlan],
    evidence: Evidence,
    budget: Budget,
) -> Iterator[str]:
    for side in SIDES:
        lacking = [f"{side} has no {Path(file).name}" for file in checkouts[side].lacking]
        for text in (*lacking, *filter(None, [plans[side].absent])):
            yield f"{text}, so that what is in it can be compared only with what comes after"
    if _same_code(checkouts):
        yield "base and head are the same commit: whatever is found is not of the code"
    yield from _failed_once(evidence)
    if uncounted := [
        case
        for case, found in evidence.found.items()
        if len(found.facts) == len(SIDES) > len(evidence.counted.get(case, {}))
    ]:
        others = f" and {len(uncounted) - 1} more" if uncounted[1:] else ""
        yield f"memory and counts could not be read on both sides: {uncounted[0]}{others}"
    if budget.ended:
        yield "the budget ended before everything was decided; a larger --budget allows more pairs"


def _same_code(checkouts: Mapping[str, Checkout]) -> bool:
    base, head = (checkouts[side].side for side in SIDES)
    same = bool(base.commit) and base.commit == head.commit and not (base.dirty or head.dirty)
    return same and checkouts["base"].code.python == checkouts["head"].code.python


def _failed_once(evidence: Evidence) -> Iterator[str]:
    """What failed and came through in another pair."""
    for case, found in evidence.found.items():
        for side in SIDES:
            failures = found.failures(side)
            if failures and side in found.facts and not found.failed(side):
                tries = len(found.tries[side])
                often = (
                    "failed once, and not when tried again"
                    if len(failures) == 1
                    else f"failed in {len(failures)} of {tries} pairs"
                )
                yield f"{often}: {case} on {side}, {failures[-1].reason}"
