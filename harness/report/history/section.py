"""The section on histories: what it holds, whichever way it is laid out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness import units
from harness.gate.divisions import FEWEST
from harness.gate.history import CaseHistory, History, Run, histories
from harness.report import caps, facets, provenance
from harness.report.history import events
from harness.report.history.chart import chart, description
from harness.report.history.events import Event
from harness.report.history.sparkline import sparkline
from harness.report.page import Figure
from harness.report.table import Cell, Table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Line:
    """One case, and all that a line has room for.

    Attributes:
        case: its id.
        facets: what the page can be narrowed by; see `harness.report.facets`.
        sparkline: its latencies over the runs.
        runs: how many of them have one.
        last: the latency in the last of them, with its interval.
        state: whether it is slower or faster than it was, and since when.
    """

    case: str
    facets: Mapping[str, str]
    sparkline: Markup
    runs: int
    last: str
    state: Cell


@dataclass(frozen=True)
class Told:
    """An event, and as much of it as there is room for.

    Attributes:
        event: all of it.
        table: of the first of its changes.
        causes: what may have caused it, a sentence each.
    """

    event: Event
    table: Table
    causes: list[str]


@dataclass(frozen=True)
class Block:
    """All of one machine.

    Attributes:
        history: of its runs.
        key: unique in the page.
    """

    history: History
    key: str = "history"

    @property
    def title(self) -> str:
        return events.title(self.history)

    @property
    def verdict(self) -> str:
        return events.verdict(self.history)

    @property
    def events(self) -> list[Told]:
        """The latest, with `caps.LISTED` changes between them, in the order of the runs."""
        told: list[Told] = []
        room = caps.LISTED
        for event in reversed(events.events(self.history)):
            if room > 0:
                told.append(Told(event, event.table(room), events.causes(self.history, event)))
                room -= len(event.changes)
        return told[::-1]

    @property
    def remarks(self) -> list[str]:
        return [*self._left_out(), *events.remarks(self.history)]

    @property
    def changed(self) -> list[Figure]:
        """A drawing of each case with a change, or of as many as a page can hold."""
        return list(self._drawn(self._changed[: caps.HISTORIES], f"{self.key}-changed"))

    @property
    def lines(self) -> list[Line]:
        """One a case of several runs, those with a change first."""
        cases = sorted(self._known, key=lambda case: not case.changes)
        return [
            Line(
                case=case.case,
                facets=facets.of_case(case.case),
                sparkline=sparkline(case, description(self.history, case)),
                runs=len(case.runs),
                last=units.seconds_interval(last.value, last.low, last.high),
                state=events.standing(self.history, case),
            )
            for case in cases[: caps.SPARKLINES]
            for last in case.latencies[-1:]
        ]

    @property
    def undrawn(self) -> int:
        """Cases that have no line."""
        return max(0, len(self._known) - caps.SPARKLINES)

    @property
    def _changed(self) -> list[CaseHistory]:
        """Those that are slower now first, as a reader looks for them."""
        changed = (case for case in self.history.cases if case.changes)
        return sorted(changed, key=lambda case: not case.slower)

    def _left_out(self) -> Iterator[str]:
        """What there is no room for; of what is left out the verdict still tells."""
        found = events.events(self.history)
        changes = sum(len(event.changes) for event in found)
        if changes > caps.LISTED:
            yield (
                f"Of {changes:,} changes at {units.count(len(found), 'time')} the last "
                f"{caps.LISTED} are listed."
            )
        if (rest := len(self._changed) - caps.HISTORIES) > 0:
            yield f"{units.count(rest, 'more case')} with a change would be too many to draw."

    @property
    def _known(self) -> list[CaseHistory]:
        """Those with a second latency; a line through one would say nothing."""
        return [case for case in self.history.cases if len(case.latencies) > 1]

    def _drawn(self, cases: Iterable[CaseHistory], key: str) -> Iterator[Figure]:
        for index, case in enumerate(cases):
            states = "; ".join(events.state(case, change) for change in case.changes)
            yield Figure(case.case, Markup(chart(self.history, case, f"{key}{index}")), states)


def section(frame: pd.DataFrame, runs: Sequence[Run]) -> list[Block]:
    """A block for each machine with as many runs of a case as a history begins with."""
    if frame.empty:
        return []
    of_machine = frame.groupby("machine_id")["run_id"].nunique()
    long = of_machine.index[of_machine >= FEWEST]
    own = [run for run in runs if provenance.machine_id(run) in long]
    found = histories(frame[frame["machine_id"].isin(long)], own)
    found = [history for history in found if history.asked]
    return [Block(history, f"history{number}") for number, history in enumerate(found)]
