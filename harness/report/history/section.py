"""The section on histories: what it holds, whichever way it is laid out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness.gate.history import CaseHistory, History, Run, histories
from harness.report.history import events
from harness.report.history.chart import chart
from harness.report.history.events import Event
from harness.report.page import Figure

if TYPE_CHECKING:
    import pandas as pd

_DRAWN = 60
"""Cases without a change that are drawn at most; each takes some kilobytes of a page."""


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
    def events(self) -> list[tuple[Event, list[str]]]:
        """Each with what may have caused it."""
        return [(one, events.causes(self.history, one)) for one in events.events(self.history)]

    @property
    def remarks(self) -> list[str]:
        return events.remarks(self.history)

    @property
    def changed(self) -> list[Figure]:
        """A drawing of each case with a change."""
        cases = [case for case in self.history.cases if case.changes]
        return list(self._drawn(cases, f"{self.key}-changed"))

    @property
    def unchanged(self) -> list[Figure]:
        """Likewise, of the first of those without one."""
        cases = [case for case in self.history.testable if not case.changes]
        return list(self._drawn(cases[:_DRAWN], f"{self.key}-unchanged"))

    @property
    def undrawn(self) -> int:
        """Cases without a change that are not drawn."""
        cases = [case for case in self.history.testable if not case.changes]
        return max(0, len(cases) - _DRAWN)

    def _drawn(self, cases: Iterable[CaseHistory], key: str) -> Iterator[Figure]:
        for index, case in enumerate(cases):
            states = "; ".join(events.state(case, change) for change in case.changes)
            yield Figure(case.case, Markup(chart(self.history, case, f"{key}{index}")), states)


def section(frame: pd.DataFrame, runs: Sequence[Run]) -> list[Block]:
    """A block for each machine with as many runs of a case as a history begins with."""
    found = [history for history in histories(frame, runs) if history.asked]
    return [Block(history, f"history{number}") for number, history in enumerate(found)]
