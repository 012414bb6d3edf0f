"""What a gate found, drawn in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from harness import units
from harness.gate.outcome import Outcome, Verdict
from harness.report import terminal
from harness.report.gate import tables, wording
from harness.report.gate.tables import Entry
from harness.report.table import Table
from harness.report.text import printable

_INDENT = 2


def render(outcome: Outcome) -> RenderableType:
    """What changed and what could not be told, how many are the same, the verdict last.

    In a terminal the last line is the one that is read first.
    """
    shown = tables.entries(outcome, *tables.CHANGED, Verdict.INCONCLUSIVE)
    same = len(tables.entries(outcome, Verdict.SAME))
    parts: list[RenderableType] = [*_by_case(shown)]
    if same:
        parts.append(_text(f"{units.count(same, 'figure')} shown to be the same", "dim"))
    parts += [_text(note, "yellow") for note in outcome.notes]
    parts += [Text(), *map(_text, wording.details(outcome))]
    style = "bold red" if outcome.bad or not outcome.compared else "bold green"
    return Group(*parts, _text(wording.headline(outcome), style))


def _by_case(shown: Sequence[Entry]) -> Iterator[RenderableType]:
    """Each case's id on a line of its own, as it is long, and its figures below."""
    figures = tables.table([entry for entry in shown if entry.finding])
    if figures:
        yield Padding(_lines(figures, [figures.header[1:]], ["dim"]), (0, 0, 0, _INDENT))
    for case in dict.fromkeys(entry.case.case for entry in shown):
        mine = [entry for entry in shown if entry.case.case == case]
        yield _text(case, "bold")
        for entry in mine:
            if entry.finding is None:
                yield Padding(
                    _text(tables.became(entry.case), terminal.STYLES[tables.tone(entry.verdict)]),
                    (0, 0, 0, _INDENT),
                )
        rows = tables.table([entry for entry in mine if entry.finding]).rows
        cells = [[cell.text for cell in row[1:]] for row in rows]
        # A row has the colour of its verdict.
        styles = [terminal.STYLES[row[2].tone] for row in rows]
        if cells:
            yield Padding(_lines(figures, cells, styles), (0, 0, 0, _INDENT))
    if shown:
        yield Text()


def _lines(every: Table, rows: Sequence[Sequence[str]], styles: Sequence[str]) -> RichTable:
    """Rows in columns as wide as all rows of all cases need."""
    drawn = RichTable.grid(padding=(0, 2, 0, 0))
    for index, numeric in list(enumerate(every.numeric))[1:]:
        texts = (every.header[index], *(row[index].text for row in every.rows))
        drawn.add_column(
            width=max(map(len, texts)), justify="right" if numeric else "left", overflow="fold"
        )
    for row, style in zip(rows, styles, strict=True):
        drawn.add_row(*(_text(text, style) for text in row))
    return drawn


def _text(text: str, style: str = "") -> Text:
    return Text(printable(text), style)
