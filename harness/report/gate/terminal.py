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
    cases: dict[str, list[Entry]] = {}
    for entry in shown:
        cases.setdefault(entry.case.case, []).append(entry)
    figures = tables.table([entry for entry in shown if entry.finding])
    columns = _columns(figures)
    if figures:
        yield Padding(_lines(columns, [figures.header[1:]], ["dim"]), (0, 0, 0, _INDENT))
    for case, mine in cases.items():
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
            yield Padding(_lines(columns, cells, styles), (0, 0, 0, _INDENT))
    if shown:
        yield Text()


def _columns(every: Table) -> list[tuple[int, bool]]:
    """How wide a column is, by what all rows of all cases need, and whether it holds figures."""
    texts = [every.header, *([cell.text for cell in row] for row in every.rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return list(zip(widths, every.numeric, strict=True))[1:]


def _lines(
    columns: Sequence[tuple[int, bool]], rows: Sequence[Sequence[str]], styles: Sequence[str]
) -> RichTable:
    drawn = RichTable.grid(padding=(0, 2, 0, 0))
    for width, numeric in columns:
        drawn.add_column(width=width, justify="right" if numeric else "left", overflow="fold")
    for row, style in zip(rows, styles, strict=True):
        drawn.add_row(*(_text(text, style) for text in row))
    return drawn


def _text(text: str, style: str = "") -> Text:
    return Text(printable(text), style)
