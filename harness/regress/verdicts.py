"""From what was found of a case to its outcome."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.gate import counts, first_call
from harness.gate.counts import Figures
from harness.gate.outcome import CaseOutcome, Finding, Verdict, worst
from harness.gate.procedure import Decision
from harness.regress.found import Failure, Found
from harness.regress.plans import SidePlan
from harness.stats import Interval, pass_interval
from harness.types import Status

_CHANGED_REFERENCE = (
    "its reference computes something else on head than on base, so the two are not the same work"
)


@dataclass(frozen=True)
class Evidence:
    """All that is known, by case.

    Attributes:
        decisions: on latency.
        found: pairs, failures and references.
        counted: figures that need no clock, by side.
        threshold: relative change that counts.
    """

    decisions: Mapping[str, Decision]
    found: Mapping[str, Found]
    counted: Mapping[str, Mapping[str, Figures]]
    threshold: float


def outcomes(base: SidePlan, head: SidePlan, evidence: Evidence) -> Iterator[CaseOutcome]:
    """One a case of either plan, those of head first."""
    for case in dict.fromkeys((*head.cases, *base.cases)):
        if case not in base.cases:
            yield CaseOutcome(case, Verdict.NEW, "", _planned(head, case))
        elif case not in head.cases:
            gone = Verdict.FAILED if head.broken else Verdict.VANISHED
            verdict = Verdict.NOT_COMPARED if case in base.ruled_out else gone
            reason = head.broken or "head's plan lacks it"
            yield CaseOutcome(case, verdict, _planned(base, case), "", reason)
        elif case in evidence.found:
            yield _outcome(case, base, head, evidence)
        else:
            yield _ruled_out(case, base, head)


def _planned(plan: SidePlan, case: str) -> str:
    return str(plan.ruled_out[case][0]) if case in plan.ruled_out else "planned"


def _ruled_out(case: str, base: SidePlan, head: SidePlan) -> CaseOutcome:
    """A case that one of the plans knows not to run; nothing was tried."""
    statuses = _planned(base, case), _planned(head, case)
    reason = (head.ruled_out.get(case) or base.ruled_out[case])[1]
    if case not in base.ruled_out:
        return CaseOutcome(case, Verdict.FAILED, *statuses, f"only on head: {reason}")
    verdict = Verdict.NOT_COMPARED if case in head.ruled_out else Verdict.NEW
    return CaseOutcome(case, verdict, *statuses, reason)


def _outcome(case: str, base: SidePlan, head: SidePlan, evidence: Evidence) -> CaseOutcome:
    found = evidence.found[case]
    before, after = _final(found, "base"), _final(found, "head")
    statuses = _status(before), _status(after)
    failure = after or before
    if failure and found.flaky:
        reason = f"it fails now and then on both sides: {failure.reason}"
        return CaseOutcome(case, Verdict.INCONCLUSIVE, *statuses, reason)
    if before and after:
        return CaseOutcome(case, Verdict.NOT_COMPARED, *statuses, after.reason)
    if before:
        return CaseOutcome(case, Verdict.FIXED, *statuses, f"on base: {before.reason}")
    if after:
        return CaseOutcome(case, Verdict.FAILED, *statuses, after.reason)
    if found.reference_changed:
        return CaseOutcome(case, Verdict.FAILED, *statuses, _CHANGED_REFERENCE)
    findings = tuple(_findings(case, evidence))
    verdict, reason = _worst(findings), ""
    if not found.facts:
        statuses = ("planned", "planned")
        if verdict is Verdict.INCONCLUSIVE:
            reason = "the budget ended before its turn"
    return CaseOutcome(case, verdict, *statuses, reason, findings)


def _status(failure: Failure | None) -> str:
    return str(failure.status if failure else Status.OK)


def _final(found: Found, side: str) -> Failure | None:
    """How the side failed: for good, or as often as the budget let it try."""
    failures = found.failures(side)
    if side not in found.facts and failures:
        return failures[-1]
    return found.failed(side)


def _findings(case: str, evidence: Evidence) -> Iterator[Finding]:
    found, decision = evidence.found[case], evidence.decisions[case]
    base_s, head_s = found.seconds["base"], found.seconds["head"]
    yield Finding(
        "latency",
        statistics.median(base_s) if base_s else None,
        statistics.median(head_s) if head_s else None,
        decision.ratio,
        decision.visible,
        decision.pairs,
        decision.verdict,
        _known(base_s),
        _known(head_s),
    )
    starting = first_call.finding(
        found.first_call_s["base"],
        found.first_call_s["head"],
        len(evidence.found),
        evidence.threshold,
    )
    if starting:
        yield starting
    counted = evidence.counted.get(case, {})
    if "base" in counted and "head" in counted:
        yield from counts.findings(counted["base"], counted["head"], evidence.threshold)


def _known(seconds: Sequence[float]) -> Interval | None:
    """How well the time of one side is known by itself, each pair with a process of its own.

    What both sides share, such as a slow moment of the machine, is in it, and not in their ratio.
    """
    return pass_interval([Interval(one, one, one) for one in seconds]) if seconds else None


def _worst(findings: tuple[Finding, ...]) -> Verdict:
    """Latency alone can leave a case undecided: the others are judged by what there is."""
    latency, *others = (found.verdict for found in findings)
    undecided = (Verdict.INCONCLUSIVE, Verdict.NOT_COMPARED)
    return worst([latency, *(verdict for verdict in others if verdict not in undecided)])
