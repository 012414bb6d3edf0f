"""What a gate found, drawn in a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from harness import units
from harness.gate.outcome import Outcome, Verdict
from harness.report import terminal
from harness.report.gate import tables, wording
from harness.report.text import printable


def render(outcome: Outcome) -> RenderableType:
    """What changed and what could not be told in a table, how many are the same, the verdict last.

    In a terminal the last line is the one that is read first.
    """
    shown = tables.entries(outcome, *tables.CHANGED, Verdict.INCONCLUSIVE)
    same = len(tables.entries(outcome, Verdict.SAME))
    parts: list[RenderableType] = [terminal.table(tables.table(shown))] if shown else []
    if same:
        parts.append(_text(f"{units.count(same, 'figure')} shown to be the same", "dim"))
    parts += [_text(note, "yellow") for note in outcome.notes]
    parts += [Text(), *map(_text, wording.details(outcome))]
    style = "bold red" if outcome.bad or not outcome.compared else "bold green"
    return Group(*parts, _text(wording.headline(outcome), style))


def _text(text: str, style: str = "") -> Text:
    return Text(printable(text), style)
