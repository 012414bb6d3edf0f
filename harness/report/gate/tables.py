"""What a gate found, in tables: a row a figure, and what was compared on which machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.gate.outcome import METRICS, CaseOutcome, Finding, Outcome, Side, Verdict
from harness.report import facets, provenance
from harness.report.gate import wording
from harness.report.table import Cell, Table, Tone
from harness.units import MISSING

HEADER = ("Case", "What", "Verdict", "Ratio (95 %)", "Base", "Head", "Visible from")
"""What is least needed comes last, where a narrow page cuts it off."""
CHANGED = frozenset(Verdict) - {Verdict.INCONCLUSIVE, Verdict.SAME, Verdict.NOT_COMPARED}
_PARTS: Mapping[str, Iterable[Verdict]] = {
    "": CHANGED,
    "inconclusive": {Verdict.INCONCLUSIVE},
    "unchanged": {Verdict.SAME},
    "not compared": {Verdict.NOT_COMPARED},
}
"""What most needs to be looked at comes first."""
_TONES: dict[Verdict, Tone] = {
    Verdict.REGRESSION: "bad",
    Verdict.FAILED: "bad",
    Verdict.VANISHED: "bad",
    Verdict.IMPROVEMENT: "good",
    Verdict.FIXED: "good",
    Verdict.SAME: "muted",
    Verdict.NOT_COMPARED: "muted",
}
_SHORT_COMMIT = 12


@dataclass(frozen=True)
class Entry:
    """What a row of a table tells: one figure of a case, or what became of the case itself."""

    case: CaseOutcome
    finding: Finding | None

    @property
    def verdict(self) -> Verdict:
        return self.finding.verdict if self.finding else self.case.verdict

    @property
    def rank(self) -> tuple[int, bool, float]:
        """Sorts worst first: by verdict, counts after what is felt, the larger change before."""
        found = self.finding
        change = abs(found.ratio.value - 1) if found and found.ratio else 0.0
        count = found is not None and not METRICS[found.metric].felt
        return list(Verdict).index(self.verdict), count, -change


def entries(outcome: Outcome, *verdicts: Verdict) -> list[Entry]:
    """The figures and cases with one of these verdicts, worst first."""
    found = (entry for case in outcome.cases for entry in _entries(case))
    chosen = [entry for entry in found if entry.verdict in verdicts]
    return sorted(chosen, key=lambda entry: entry.rank)


def parts(outcome: Outcome) -> list[tuple[str, list[Entry]]]:
    """What changed, which has no name, then all else by what it is called; none that is empty."""
    found = ((name, entries(outcome, *verdicts)) for name, verdicts in _PARTS.items())
    return [(name, chosen) for name, chosen in found if chosen]


def table(chosen: Sequence[Entry]) -> Table:
    """A row an entry."""
    facets_of_each = (facets.of_case(entry.case.case) for entry in chosen)
    return Table.of(HEADER, map(_row, chosen), facets_of_each)


def sides(outcome: Outcome) -> Table:
    """What was compared."""
    base, head = outcome.base, outcome.head
    packages = sorted(base.versions.keys() | head.versions.keys())
    rows = [
        ["Given as", base.given, head.given],
        ["Commit", _commit(base), _commit(head)],
        ["Python", base.python or provenance.UNKNOWN, head.python or provenance.UNKNOWN],
        *(
            [name, *(side.versions.get(name, MISSING) for side in (base, head))]
            for name in packages
        ),
    ]
    return Table.of(("Compared", "Base", "Head"), rows)


def machine(outcome: Outcome) -> Table:
    """Where it was measured."""
    return provenance.machine_table([{"machine": outcome.machine}])


def _entries(case: CaseOutcome) -> Iterator[Entry]:
    """The case's figures, after the case itself where none of them tells its verdict."""
    if all(found.verdict is not case.verdict for found in case.findings):
        yield Entry(case, None)
    for found in case.findings:
        # A first call that leaves itself undecided leaves nothing else so, and no one need look.
        if found.verdict is not Verdict.INCONCLUSIVE or found.metric == "latency":
            yield Entry(case, found)


def _row(entry: Entry) -> list[Cell | str]:
    case, found = entry.case, entry.finding
    verdict = Cell(entry.verdict, tone=tone(entry.verdict))
    if found is None:
        statuses = (wording.status(case.base_status), wording.status(case.head_status))
        return [case.case, case.reason or MISSING, verdict, MISSING, *statuses, MISSING]
    base, head = wording.figures(found)
    return [
        case.case,
        METRICS[found.metric].name,
        verdict,
        Cell(wording.ratio(found), found.ratio.value if found.ratio else None),
        Cell(base, found.base),
        Cell(head, found.head),
        Cell(wording.visible(found), found.visible),
    ]


def tone(verdict: Verdict) -> Tone:
    """How a verdict should strike the reader."""
    return _TONES.get(verdict, "")


def became(case: CaseOutcome) -> str:
    """``failed: the process died of SIGABRT (base ok, head crashed)``."""
    statuses = f"base {wording.status(case.base_status)}, head {wording.status(case.head_status)}"
    reason = f": {case.reason}" if case.reason else ""
    return f"{case.verdict}{reason} ({statuses})"


def _commit(side: Side) -> str:
    short = side.commit[:_SHORT_COMMIT] or "none"
    return f"{short} with local changes" if side.dirty else short
