"""The page of single cases: the table of all rows, and a card a row that tells the rest."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness import sweep, units
from harness.report import provenance, results
from harness.report.cases import choice
from harness.report.cases.chart import chart
from harness.report.cases.command import command
from harness.report.cases.samples import Key, Pass, Passes, by_row, key
from harness.report.cases.strip import strip
from harness.report.page import Figure
from harness.report.provenance import Run
from harness.report.rows import Row
from harness.report.table import Table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Card:
    """What the table of all rows does not tell of one of them.

    Attributes:
        key: unique in the page.
        case: its id.
        facts: by name.
        warnings: sentences.
        command: measures the case again as its run did.
        samples: drawn small; None where they are drawn large, or not known.
        figure: its samples; None for most.
    """

    key: str
    case: str
    facts: Mapping[str, str]
    warnings: tuple[str, ...]
    command: str
    samples: Markup | None
    figure: Figure | None


@dataclass(frozen=True)
class Section:
    """All rows, as a table and as cards.

    Attributes:
        drawn: says of which cases the samples are drawn large.
    """

    table: Table
    cards: tuple[Card, ...]
    drawn: str

    @property
    def any_small(self) -> bool:
        """Whether the samples of any case are drawn small."""
        return any(card.samples for card in self.cards)

    def __bool__(self) -> bool:
        return bool(self.cards)


def section(rows: Sequence[Row], runs: Sequence[Run], samples: pd.DataFrame | None) -> Section:
    """Of the rows that a report shows.

    Args:
        rows: those of earlier runs too, unless they are too many; see `harness.report.caps`.
        runs: that they are of.
        samples: what `harness.store.load_samples` returns; None if it was not read.
    """
    passes = by_row(samples)
    known = choice.known(rows, passes)
    large = set(map(key, choice.chosen(known)))
    usual = sweep.read(sweep.DEFAULT)
    known_runs = {_of_run(run): run for run in runs}
    cards = tuple(
        _card(
            *(f"case-{number}", row, passes, large),
            command(row, known_runs.get((row.machine_id, row.run_id), {}), usual),
        )
        for number, row in enumerate(rows, 1)
    )
    return Section(results.every_row(rows, (card.key for card in cards)), cards, choice.told(known))


def _of_run(run: Run) -> tuple[str, str]:
    """Its machine and id, as its rows have them."""
    machine = provenance.get(run, "machine", "machine_id")
    return str(machine or ""), str(run.get("run_id") or "")


def _card(name: str, row: Row, passes: Passes, large: Container[Key], again: str) -> Card:
    own = passes.get(key(row), ())
    is_large = key(row) in large
    return Card(
        key=name,
        case=row.case_id,
        facts=dict(_facts(row, own)),
        warnings=row.warnings,
        command=again,
        samples=strip(own) if own and row.latency and not is_large else None,
        figure=_figure(own, name) if is_large else None,
    )


def _facts(row: Row, passes: Sequence[Pass]) -> Iterator[tuple[str, str]]:
    if row.reason:
        yield row.status.replace("_", " "), row.reason
    if row.samples:
        yield "Samples", _samples(row, passes)
    if parts := results.allocated(row):
        yield "Allocated at the peak", parts
    if row.execution_path:
        yield "Execution path", row.execution_path


def _samples(row: Row, passes: Sequence[Pass]) -> str:
    text = f"{row.samples} in {units.count(row.passes, 'pass', 'passes')}"
    text += f", {units.percent(row.disturbed)} of them disturbed" if row.disturbed else ""
    if not passes:
        return text
    times = [time for one in passes for time in one.samples_s]
    medians = ", ".join(units.seconds(one.median_s) for one in passes)
    return (
        f"{text}, {units.seconds(min(times))} to {units.seconds(max(times))}; "
        f"median by pass {medians}"
    )


def _figure(passes: Sequence[Pass], name: str) -> Figure:
    return Figure(
        "Samples",
        Markup(chart(passes, f"{name}-samples")),
        "over time by pass, with each pass's median, and how often each time occurred",
    )
