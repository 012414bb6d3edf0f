"""The verdict of a report: who is fastest, what came of the cases, and how far to trust them.

Each is computed from the rows, and is the same in every layout. What a sentence leaves out stands
on the pages behind it.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness import units
from harness.damage import Damage
from harness.report import fastest, summary
from harness.report.attention.section import Section as Attention
from harness.report.history.section import Block
from harness.report.machines.section import Section as Machines
from harness.report.rows import Row
from harness.report.table import Tone

_FAILURES = 5
"""Kinds of failure that are told on the first page."""
_HISTORIES = 3
"""Machines whose history is told there."""


@dataclass(frozen=True)
class Lead:
    """What the history of a machine comes to: its title, its verdict, and how that should strike.

    Without a title it is about further machines.
    """

    title: str
    text: str
    tone: Tone = ""


def sentences(
    newest: Sequence[Row], sides: Machines | None = None, attention: Attention | None = None
) -> list[str]:
    """What is fastest, what failed or is missing, and how far to trust it.

    Args:
        newest: of each case and machine the last row.
        sides: what holds machines or devices against each other, if there are several.
        attention: what was found of ways to attend.
    """
    if not newest:
        return ["There are no results: no case was measured, so there is nothing to report."]
    return [fastest.sentence(newest, sides, attention), summary.tally(newest), _known(newest)]


def histories(blocks: Sequence[Block]) -> list[Lead]:
    """What got slower over the runs of each machine; machines with a slowdown first."""
    slow = {block.key: any(case.slower for case in block.history.cases) for block in blocks}
    ordered = sorted(blocks, key=lambda block: not slow[block.key])
    told = [
        Lead(block.title, block.verdict, "bad" if slow[block.key] else "")
        for block in ordered[:_HISTORIES]
    ]
    rest = ordered[_HISTORIES:]
    if not rest:
        return told
    others = f"{sum(slow[block.key] for block in rest)} of them with a case that is slower"
    return [*told, Lead("", f"{units.count(len(rest), 'more machine')} under Guard CI, {others}.")]


def outcome(newest: Sequence[Row]) -> list[str]:
    """What came of a run, and how far to trust it: the verdict without a word on who is fastest."""
    if not newest:
        return sentences(newest)
    return [*sentences(newest)[1:], f"Trust: {trust(newest)}."]


def failures(newest: Sequence[Row]) -> list[str]:
    """Each kind of failure with one case that shows it, the commonest first."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for row in newest:
        if row.failed:
            kinds.setdefault((row.status, row.reason), []).append(row.case_id)
    ordered = sorted(kinds.items(), key=lambda item: -len(item[1]))
    told = [
        f"{len(cases)} {status}: {reason or 'no reason given'} ({cases[0]}"
        f"{f' and {len(cases) - 1} more' if len(cases) > 1 else ''})"
        for (status, reason), cases in ordered[:_FAILURES]
    ]
    rest = len(ordered) - len(told)
    return [*told, f"{units.count(rest, 'more kind')} of failure"] if rest > 0 else told


def trust(newest: Sequence[Row], damage: Sequence[Damage] = ()) -> str:
    """Converged, warm, checked, checks failed, warnings, what is damaged: in one line."""
    measured = [row for row in newest if row.latency is not None]
    broken = filter(None, [summary.damaged(damage)])
    if not measured:
        return " · ".join(["no latency was measured", *broken])
    number = len(measured)
    checked = [row for row in measured if row.parity_error is not None]
    parity = f"checked against float64 {len(checked)} of {number}"
    if checked:
        worst = max(row.parity_error or 0.0 for row in checked)
        parity += f" (worst {units.error(worst)})"
    warned = sum(bool(row.warnings) for row in newest)
    return " · ".join(
        [
            f"converged {sum(row.converged for row in measured)} of {number}",
            f"warm {sum(row.warmed for row in measured)} of {number}",
            parity,
            _checks(measured),
            *summary.disturbed(measured),
            f"warned {warned or 'none'}",
            *broken,
        ]
    )


def _checks(measured: Sequence[Row]) -> str:
    """``failed checks passes 2, trend 1``."""
    found = Counter(check for row in measured for check in row.audit)
    each = ", ".join(f"{check} {number}" for check, number in found.most_common())
    return f"failed checks {each or 'none'}"


def _known(newest: Sequence[Row]) -> str:
    measured = [row for row in newest if row.latency is not None]
    if not measured:
        return "No latency was measured, so there is no figure to trust or to doubt."
    widths = [row.latency.relative_half_width for row in measured if row.latency is not None]
    parts = [f"A typical latency is known to ±{units.percent(statistics.median(widths))}"]
    sound = sum(row.converged and row.warmed and not row.audit for row in measured)
    if sound == len(measured):
        parts.append("all settled and passed all checks")
    else:
        parts.append(
            f"{sound} of {len(measured)} settled and passed all checks; "
            f"mistrust the rest first ({', '.join(_faults(measured))})"
        )
    if any(row.passes == 1 for row in measured):
        parts[-1] += ", some from a single process only"
    return f"{', and '.join(parts)}."


def _faults(measured: Sequence[Row]) -> Iterator[str]:
    """What is wrong with how many rows; one may have several faults."""
    found = Counter(
        fault
        for row in measured
        for fault, there in {
            "not converged": not row.converged,
            "not warm": not row.warmed,
            "a failed check": bool(row.audit),
        }.items()
        if there
    )
    yield from (f"{fault} {number}" for fault, number in found.items())
