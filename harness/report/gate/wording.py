"""What a gate found, in sentences. They hold text as it came: whoever lays them out escapes it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from harness import units
from harness.gate.outcome import METRICS, CaseOutcome, Finding, Outcome, Verdict
from harness.report import provenance
from harness.report.summary import together
from harness.stats import Interval

_PLAIN = {Verdict.FAILED: "failed on head", Verdict.VANISHED: "vanished from head's plan"}
_MOST_REASONS = 3
"""For which cases were not compared; the tables hold all."""


def headline(outcome: Outcome) -> str:
    """The verdict in one sentence."""
    compared = units.count(len(outcome.compared), "case")
    if not outcome.compared:
        return "Nothing was compared, so this gate cannot pass."
    if bad := outcome.bad:
        kinds = together(_counts(bad))
        return f"{len(bad)} of {compared} {'is' if len(bad) == 1 else 'are'} worse: {kinds}."
    if unsure := outcome.of(Verdict.INCONCLUSIVE):
        are = "is" if len(unsure) == 1 else "are"
        return f"Nothing was shown to be worse, but {len(unsure)} of {compared} {are} inconclusive."
    return f"Nothing became worse in {compared}."


def details(outcome: Outcome) -> list[str]:
    """What else a reader must know at once: the worst case, all other cases, what counts, when."""
    sentences = []
    if worst := _worst(outcome):
        sentences.append(f"Worst: {worst}.")
    if outcome.bad or not outcome.compared:
        rest = [case for case in outcome.cases if not case.verdict.bad]
        if rest:
            sentences.append(f"Other cases: {together(_counts(rest))}.")
    elif len({case.verdict for case in outcome.cases}) > 1:
        sentences.append(f"Cases: {together(_counts(outcome.cases))}.")
    if lacking := outcome.of(Verdict.NOT_COMPARED):
        sentences.append(f"Not compared: {_reasons(lacking)}.")
    if visible := _visible(outcome):
        sentences.append(visible)
    exact = together(metric.name for metric in METRICS.values() if metric.exact)
    sentences.append(
        f"A figure counts as changed from {units.share(outcome.threshold)} on; {exact} are exact. "
        f"The chance of any false change in latency is at most {units.share(outcome.error_rate)}."
    )
    return sentences


def finding(found: Finding) -> str:
    """``latency 1.23× (1.20–1.26), from 1.20 ms to 1.48 ms``."""
    base, head = figures(found)
    change = f" {ratio(found)}," if found.ratio else ""
    return f"{METRICS[found.metric].name}{change} from {base} to {head}"


def figures(found: Finding) -> tuple[str, str]:
    """Base and head as text: times with their intervals, exact figures with all of the digits
    where they would else look the same.
    """
    metric = METRICS[found.metric]
    both = (found.base, found.head)
    known = (found.base_interval, found.head_interval)
    base, head = (_figure(*one, metric.unit) for one in zip(both, known, strict=True))
    if metric.exact and base == head and found.base != found.head:
        base, head = (units.exact_figure(value, metric.unit) for value in both if value is not None)
    return base, head


def _figure(value: float | None, known: Interval | None, unit: str) -> str:
    if value is None or known is None or unit != "s":
        return units.figure(value, unit)
    return units.seconds_interval(value, known.low, known.high)


def ratio(found: Finding) -> str:
    """``1.23× (1.20–1.26)``; without an interval where exact."""
    if found.ratio is None:
        return units.MISSING
    if METRICS[found.metric].exact:
        return units.exact_ratio(found.ratio.value)
    return units.ratio_interval(found.ratio.value, found.ratio.low, found.ratio.high)


def visible(found: Finding) -> str:
    """The smallest change that would most likely have been found."""
    if found.visible is None:
        return units.MISSING
    return units.share(found.visible) if found.visible else "any"


def case(outcome: CaseOutcome) -> str:
    """What became of a case: the reason, or else what its worst figure did."""
    if outcome.reason:
        return f"{outcome.verdict}: {outcome.reason}"
    decisive = [found for found in outcome.findings if found.verdict is outcome.verdict]
    if not decisive:
        return str(outcome.verdict)
    return f"{outcome.verdict}: {'; '.join(map(finding, decisive))}"


def status(text: str) -> str:
    """How a side's part of a case ended."""
    return text.replace("_", " ") or "not in the plan"


def command(outcome: Outcome) -> str:
    """The command, written anew; empty if it is not that of a gate."""
    found = provenance.own_command(outcome.command)
    return found if found.startswith("layerbench regress ") else ""


def _counts(cases: Iterable[CaseOutcome]) -> list[str]:
    """``2 regressions``, ``1 failed on head``, worst first."""
    found = Counter(case.verdict for case in cases)
    return [_counted(verdict, found[verdict]) for verdict in Verdict if verdict in found]


def _reasons(cases: Iterable[CaseOutcome]) -> str:
    """``no kernel for this (2 cases); too large (1 case)``, the most frequent first."""
    found = Counter(case.reason.rstrip(".") for case in cases)
    shown = found.most_common(_MOST_REASONS)
    texts = [f"{reason} ({units.count(number, 'case')})" for reason, number in shown]
    if left := len(found) - len(shown):
        texts.append(units.count(left, "further reason"))
    return "; ".join(texts)


def _counted(verdict: Verdict, number: int) -> str:
    if verdict in (Verdict.REGRESSION, Verdict.IMPROVEMENT):
        return units.count(number, verdict)
    return f"{number} {_PLAIN.get(verdict, verdict)}"


def _worst(outcome: Outcome) -> str:
    """The case with the largest proven rise of time or memory, or else of a count; without one,
    the first that closed the gate.
    """
    rises = [
        (METRICS[found.metric].felt, found.ratio.value if found.ratio else math.inf, case, found)
        for case in outcome.of(Verdict.REGRESSION)
        for found in case.findings
        if found.verdict is Verdict.REGRESSION
    ]
    if rises:
        *_, case_, found = max(rises, key=lambda rise: rise[:2])
        return f"{case_.case}, {finding(found)}"
    return next((f"{bad.case}, {case(bad)}" for bad in outcome.bad), "")


def _visible(outcome: Outcome) -> str:
    """How small a change could have been seen where nothing could be said."""
    unsure = [
        (found.visible, f"{case.case}, {METRICS[found.metric].name}")
        for case in outcome.cases
        for found in case.findings
        if found.metric == "latency"  # no other figure leaves a case undecided
        and found.verdict is Verdict.INCONCLUSIVE
        and found.visible is not None
    ]
    if not unsure:
        return ""
    (least, easiest), (most, hardest) = min(unsure), max(unsure)
    if least == most:
        return (
            f"What is inconclusive could have been seen from a change of {units.share(most)} on "
            f"({hardest})."
        )
    return (
        "What is inconclusive could have been seen from a change of "
        f"{units.share(least)} ({easiest}) to {units.share(most)} on ({hardest})."
    )
