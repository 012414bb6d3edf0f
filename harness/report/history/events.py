"""What the stored runs of one machine tell, in words and tables: what changed, where, and since.

`harness.gate.history` finds the changes. Those between the same two runs are one event, as they
may have one cause.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from harness import units
from harness.gate.changes import ERROR_RATE, Change, runs_after
from harness.gate.divisions import FEWEST
from harness.gate.history import CaseHistory, History, Run
from harness.report import facets, provenance
from harness.report.summary import together
from harness.report.table import Cell, Table, Tone
from harness.stats import pass_interval

MACHINES = (
    "Each machine has a history of its own: a difference between machines is a comparison "
    "(`layerbench compare A B`), not a change."
)
_NAMED = 3
_DUEL = ("layerbench", "regress")
_MOST = 0.5
"""Share of the cases that change together above which what they share is suspected."""


@dataclass(frozen=True)
class Event:
    """What changed between two runs.

    Attributes:
        before: the last run before.
        after: the first run after.
        changes: with the cases they are of.
    """

    before: Run
    after: Run
    changes: tuple[tuple[CaseHistory, Change], ...]

    @property
    def title(self) -> str:
        """When, and between which commits."""
        commits = dict.fromkeys(provenance.commit(run) for run in (self.before, self.after))
        return f"{started(self.before)} → {started(self.after)}, commit {' → '.join(commits)}"

    @property
    def runs(self) -> str:
        return f"between the runs {self.before['run_id']} and {self.after['run_id']}"

    def table(self, most: int) -> Table:
        """A line a case, of so many: the level before and after, and whether it is back."""
        header = ("Case", "Before", "After", "After / before", "Since", "p")
        return Table.of(
            header,
            (_line(case, change) for case, change in self.changes[:most]),
            (facets.of_case(case.case) for case, _ in self.changes[:most]),
        )


def events(history: History) -> list[Event]:
    """In the order of the runs at which the levels moved."""
    groups: dict[tuple[str, str], list[tuple[CaseHistory, Change]]] = {}
    for case in history.cases:
        for change in case.changes:
            between = case.runs[change.at - 1], case.runs[change.at]
            groups.setdefault(between, []).append((case, change))
    order = [str(run["run_id"]) for run in history.runs]
    ordered = sorted(groups, key=lambda between: [order.index(run) for run in reversed(between)])
    return [
        Event(history.run(before), history.run(after), tuple(groups[before, after]))
        for before, after in ordered
    ]


def title(history: History) -> str:
    """``12 runs on epyc-2c: 2026-11-01 to 2026-11-12``."""
    first, last = (started(history.runs[index])[:10] for index in (0, -1))
    number = units.count(len(history.runs), "run")
    return f"{number} on {history.machine_id}, {first} to {last}"


def verdict(history: History) -> str:
    """Whether something is slower now, or could not be told, in a sentence."""
    if not history.testable:
        return _too_few(history)
    slower = {case: case.slower for case in history.cases if case.slower}
    number = units.count(len(history.testable), "case")
    limit = units.share(history.threshold)
    if not slower:
        return f"Of {number} none is slower at the end than it was, by {limit} or more."
    by_ratio = sorted(slower, key=lambda case: -max(one.ratio.value for one in slower[case]))
    most = {case: max(slower[case], key=lambda one: one.ratio.value) for case in by_ratio}
    named = [f"{case.case} {_ratio(most[case])}" for case in by_ratio[:_NAMED]]
    rest = len(slower) - len(named)
    listed = together([*named, f"{rest} more"] if rest else named)
    verb = "is" if len(slower) == 1 else "are"
    return f"Of {number} {len(slower)} {verb} slower at the end, by {limit} or more: {listed}."


def _too_few(history: History) -> str:
    most = max((len(case.runs) for case in history.cases), default=0)
    if not history.asked:
        return (
            f"No change could have been told: no case has a latency in more than "
            f"{units.count(most, 'run')}, and a history begins with {FEWEST}."
        )
    return (
        f"No change could have been told, however large: with {units.count(history.asked, 'case')} "
        f"it takes {history.needed_runs} runs of a case, and there are {most}."
    )


def causes(history: History, event: Event) -> list[str]:
    """What may have caused an event, a sentence each: what else is known to differ."""
    differ = provenance.differences([event.before], [event.after])
    others = [text for text in differ if not text.startswith("commit: ")]
    told = [f"Differs, too, and may be the cause: {'; '.join(others)}."] if others else []
    if not differ:
        told.append("Nothing that is known of the two runs differs, commit included.")
    share = len(event.changes) / max(len(history.testable), 1)
    if len(event.changes) >= FEWEST / 2 and share > _MOST:
        told.append(
            f"{len(event.changes)} of {len(history.testable)} cases changed at once: look first at "
            "what they share, such as the machine and the framework."
        )
    lasting = (change for case, change in event.changes if change in case.slower)
    if not all(change.gradual for change in lasting) and (refs := _refs(event)):
        told.append(f"To make sure: `{shlex.join([*_DUEL, *refs, *_suites(event.after)])}`.")
    return told


def _suites(run: Run) -> list[str]:
    return [f"--suite={suite}" for suite in run.get("suites") or ()]


def _refs(event: Event) -> list[str]:
    """Both commits as arguments of a duel, if they are known and differ."""
    found = [provenance.get(run, "machine", "git_commit") for run in (event.before, event.after)]
    hashes = [str(commit)[:12] for commit in found if commit]
    if len(set(hashes)) < 2 or not all(map(str.isalnum, hashes)):
        return []
    return [f"--base={hashes[0]}", f"--head={hashes[1]}"]


def remarks(history: History) -> list[str]:
    """How far back it goes, what could have been seen, what was not asked, and what failed."""
    return [*_left_out(history), *_seen(history), *_not_asked(history), *_failed(history)]


def _left_out(history: History) -> Iterator[str]:
    if history.earlier:
        whole = history.earlier + len(history.runs)
        yield (
            f"Of {whole:,} runs the last {len(history.runs)} are this history; what changed before "
            "them is not told."
        )


def _seen(history: History) -> Iterator[str]:
    shown = [(case.visible, case) for case in history.testable if case.visible is not None]
    if not shown:
        return
    least, (worst, noisy) = median(size for size, _ in shown), max(shown, key=lambda one: one[0])
    noisier = units.percent(worst) != units.percent(least)
    widest = f", and of {units.percent(worst)} in the noisiest ({noisy.case})"
    after = runs_after(len(history.runs), history.asked)
    at_end = f" A new level at the end shows after {after} runs at the earliest." if after else ""
    yield (
        f"A step of {units.percent(least)} half-way would be found 19 times in 20 in a case as "
        f"noisy as the middle one{widest if noisier else ''}.{at_end}"
    )
    yield (
        f"With nothing changed and runs independent of each other, the chance of any change in "
        f"this history is at most {units.share(ERROR_RATE)}; runs that are alike because they "
        "are neighbours raise it (docs/history.md)."
    )


def _not_asked(history: History) -> Iterator[str]:
    short = [case for case in history.cases if case.latencies and not case.testable]
    if short and history.testable:
        yield (
            f"{units.count(len(short), 'case')} with fewer than {history.needed_runs} runs: no "
            f"change of theirs could be told ({_some(short)})."
        )


def _failed(history: History) -> Iterator[str]:
    failed = [case for case in history.cases if case.failed]
    if failed:
        told = [f"{case.case} ({case.failed})" for case in failed[:_NAMED]]
        rest = len(failed) - len(told)
        listed = together([*told, f"{rest} more"] if rest else told)
        yield f"Failed in the last run, which a history of latencies does not judge: {listed}."


def _some(cases: Sequence[CaseHistory]) -> str:
    named = [case.case for case in cases[:_NAMED]]
    return together([*named, f"{len(cases) - _NAMED} more"] if len(cases) > _NAMED else named)


def started(run: Run) -> str:
    """``2026-11-20 10:00``: to the minute, as the run wrote it."""
    return str(run.get("started_at") or provenance.UNKNOWN).replace("T", " ")[:16]


def _line(case: CaseHistory, change: Change) -> Iterator[Cell]:
    # A run takes the place of a process: a further one would lie around the level likewise.
    levels = [
        pass_interval(case.latencies[slice(*within)])
        for within in ((change.before, change.at), (change.at, change.until))
    ]
    tone: Tone = "good" if not change.slower else "muted" if change.recovered is not None else "bad"
    yield Cell(case.case)
    yield from (
        Cell(units.seconds_interval(one.value, one.low, one.high), one.value) for one in levels
    )
    yield Cell(_ratio(change), change.ratio.value, tone)
    yield Cell(state(case, change))
    yield Cell(units.chance(change.p), change.p)


def standing(history: History, case: CaseHistory) -> Cell:
    """Where a case stands at the end: what was its last change, or that there was none."""
    if not case.changes:
        return Cell("no change" if case.testable else "too few runs to tell", tone="muted")
    last = case.changes[-1]
    tone: Tone = "muted" if not case.slower else "bad"
    when = started(history.run(case.runs[last.at]))[:10]
    return Cell(f"{_ratio(last)} from {when} on: {state(case, last)}", tone=tone)


def _ratio(change: Change) -> str:
    return units.ratio_interval(change.ratio.value, change.ratio.low, change.ratio.high)


def state(case: CaseHistory, change: Change) -> str:
    """``slower since, over 6 runs``, or until which run; and whether it crept there."""
    word = "slower" if change.slower else "faster"
    mended = any(e.recovered == change.at and e.slower != change.slower for e in case.changes)
    if mended:
        text = "back where it was before that"
    elif change.recovered is None:
        text = f"{word} since, over {units.count(len(case.runs) - change.at, 'run')}"
    else:
        back = "recovered" if change.slower else "lost again"
        text = f"{back} after {units.count(change.recovered - change.at, 'run')}"
    return f"{text}; crept there, so no one run is the cause" if change.gradual else text
