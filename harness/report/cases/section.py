"""The page of single cases: the table of all rows, and a card a row that tells the rest."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness import units
from harness.report import results
from harness.report.cases import choice
from harness.report.cases.chart import chart, stride
from harness.report.cases.samples import Pass, Passes, by_row
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
        command: measures the case again.
        figure: its samples; None for most.
    """

    key: str
    case: str
    facts: Mapping[str, str]
    warnings: tuple[str, ...]
    command: str
    figure: Figure | None


@dataclass(frozen=True)
class Section:
    """All rows, as a table and as cards.

    Attributes:
        drawn: says of which cases the samples are drawn.
    """

    table: Table
    cards: tuple[Card, ...]
    drawn: str

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
    known = [row for row in rows if _key(row) in passes and row.latency is not None]
    drawn = {_key(known[place]) for place in choice.chosen(known)}
    suites = {str(run.get("run_id")): _suites(run) for run in runs}
    cards = tuple(
        _card(f"case-{number}", row, passes, drawn, suites.get(row.run_id, ()))
        for number, row in enumerate(rows, 1)
    )
    return Section(
        results.every_row(rows, (card.key for card in cards)),
        cards,
        _drawn(len(drawn), len(known)),
    )


def _key(row: Row) -> tuple[str, str]:
    return row.run_id, row.case_id


def _suites(run: Run) -> tuple[str, ...]:
    found = run.get("suites")
    return tuple(map(str, found)) if isinstance(found, list | tuple) else ()


def _drawn(drawn: int, known: int) -> str:
    if not known:
        return "Of no case the single samples came with these results."
    if drawn == known:
        return "The samples of every measured case are drawn."
    return f"The samples of {drawn} of {known} measured cases are drawn, which {choice.WHY}."


def _card(
    key: str, row: Row, passes: Passes, drawn: set[tuple[str, str]], suites: Sequence[str]
) -> Card:
    own = passes.get(_key(row), ())
    return Card(
        key=key,
        case=row.case_id,
        facts=dict(_facts(row, own)),
        warnings=row.warnings,
        command=_command(row, suites),
        figure=_figure(own, key) if _key(row) in drawn else None,
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
    medians = ", ".join(units.seconds(one.median_s) for one in passes)
    return f"{text}, by pass with a median of {medians}" if medians else text


def _command(row: Row, suites: Sequence[str]) -> str:
    named = "".join(f" --suite {shlex.quote(suite)}" for suite in suites)
    return f"layerbench run{named} --case {shlex.quote(row.case_id)}"


def _figure(passes: Sequence[Pass], key: str) -> Figure:
    every = stride(sum(len(one.samples_s) for one in passes))
    thinned = f"; of the samples over time every {_ordinal(every)}" if every > 1 else ""
    return Figure(
        "Samples",
        Markup(chart(passes, f"{key}-samples")),
        f"over time by pass, with each pass's median, and how often each time occurred{thinned}",
    )


def _ordinal(number: int) -> str:
    """``3rd``."""
    teen = 10 < number % 100 < 14
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
