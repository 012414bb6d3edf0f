"""Tables for a terminal. Every text is shown as it is: neither markup nor control codes work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table as RichTable
from rich.text import Text

from harness.gate.history import History
from harness.report import budgets, legend, provenance, rows, verdict
from harness.report import results as latencies
from harness.report.history.events import MACHINES
from harness.report.history.section import Block
from harness.report.machines.section import Section
from harness.report.provenance import Run
from harness.report.table import Cell, Table, Tone
from harness.report.text import printable

if TYPE_CHECKING:
    import pandas as pd

STYLES: dict[Tone, str] = {"": "", "good": "green", "bad": "bold red", "muted": "dim"}
_LONG_WORD = 10
"""Longer ones may be broken."""
MOST_CASES = 40
"""That a comparison lists: what it comes to stands below them and is to be seen."""
_GAP = 2
"""Between columns."""


def results(frame: pd.DataFrame) -> RenderableType:
    """What a run came to: latency and memory, budgets of models, what failed, how far to trust it.

    Args:
        frame: what `harness.store.load` returns.
    """
    newest = rows.newest(frame)
    latency = latencies.latency(newest, latencies.latency_and_memory_cell, with_layer=True)
    caption = "median latency ± half of its 95 % interval, peak memory of a call"
    parts: list[RenderableType] = [table(latency)] if latency else []
    parts += [_text(text, "dim") for text in (caption, *legend.explained(newest)) if latency]
    for budget in budgets.section(frame):
        parts += [_text(f"\n{budget.title}, {budget.setting}", "bold"), table(budget.table)]
        parts += [_text(remark, "dim") for remark in budget.remarks]
    if failures := latencies.failures(newest):
        parts += [_text("\nFailures", "bold"), table(failures)]
    if unsound := latencies.failed_checks(newest):
        parts += [_text("\nFailed checks (`layerbench report` tells the figures)", "bold")]
        parts += [table(unsound)]
    sentences = verdict.outcome(newest)
    return Group(*parts, Text(), *map(_text, sentences))


def comparison(section: Section) -> RenderableType:
    """What was compared and in what else the sides differ, what defies the ceilings, each layer,
    each case, and all cases in sentences.
    """
    sides = [("base", section.base), *(("other", other) for other in section.others)]
    drawn: list[RenderableType] = [
        _text(f"{role}: {side.name}, {_runs(side.runs)}") for role, side in sides
    ]
    for style, told in (("yellow", section.software), ("dim", section.hardware)):
        for heading, differences in told.items():
            drawn += [_text(heading, style), *(_text(f"  {text}", style) for text in differences)]
    tables = {
        f"\nWhat defies the ceilings, against {section.base.name}": section.defying,
        f"\nBy layer, against {section.base.name}": section.layers,
        f"\nBy case{_cut(section)}": section.worst(MOST_CASES),
    }
    captions = (section.about_ratios, legend.RATIO, section.about_expectations)
    for heading, content in tables.items():
        drawn += [_text(heading, "bold"), table(content)] if content else []
    drawn += [_text(text, "dim") for text in captions]
    verdicts = [text for told in section.verdicts.values() for text in told]
    sentences = [*verdicts, section.expectations, *section.remarks]
    return Group(*drawn, Text(), *(_text(text) for text in sentences if text))


def _cut(section: Section) -> str:
    """Which of the cases are listed, if not all."""
    whole = len(section.compared)
    if whole <= MOST_CASES:
        return ""
    return f", the worst {MOST_CASES} of {whole:,}: `--out DIR` writes more"


def histories(found: Sequence[History]) -> RenderableType:
    """Of each machine: the verdict, what changed between which runs, and what could be seen."""
    parts: list[RenderableType] = [_text(f"{MACHINES}\n")] if len(found) > 1 else []
    for block in map(Block, found):
        parts += [_text(block.title, "bold"), _text(block.verdict)]
        for told in block.events:
            parts += [_text(f"\n{told.event.title}", "bold"), _text(told.event.runs, "dim")]
            parts += [table(told.table), *map(_text, told.causes)]
        parts += [Text(), *(_text(remark, "dim") for remark in block.remarks), Text()]
    return Group(*parts)


def machine(description: Mapping[str, Any]) -> RenderableType:
    """A machine: the ``machine`` entry of a ``run.json``."""
    return table(provenance.machine_table([{"machine": description}]))


@dataclass(frozen=True)
class _Fitted:
    """A table with figures flush right; where it is too wide, text is broken before figures are."""

    content: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        drawn = RichTable(
            box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold"
        )
        header = tuple(map(Cell, self.content.header))
        columns = list(zip(header, *self.content.rows, strict=True))
        natural = sum(max(len(cell.text) for cell in column) + _GAP for column in columns)
        least = [max(map(_least_width, column)) for column in columns]
        tight = sum(width + _GAP for width in least) <= options.max_width < natural
        for cell, numeric, width in zip(header, self.content.numeric, least, strict=True):
            drawn.add_column(
                _text(cell.text),
                justify="right" if numeric else "left",
                overflow="fold",
                width=width if tight and numeric else None,
            )
        for row in self.content.rows:
            drawn.add_row(*(_text(cell.text, STYLES[cell.tone]) for cell in row))
        yield drawn


def table(content: Table) -> RenderableType:
    """A table, laid out for the width it is drawn in."""
    return _Fitted(content)


def _least_width(cell: Cell) -> int:
    if cell.figure is None:
        return min(_LONG_WORD, max(map(len, cell.text.split()), default=0))
    return max(map(len, cell.text.split(latencies.BREAK)))


def _text(text: str, style: str = "") -> Text:
    return Text(printable(text), style)


def _runs(runs: Iterable[Run]) -> str:
    named = (
        f"{run.get('run_id')} ({run.get('sweep')}, {run.get('started_at')}, "
        f"commit {provenance.commit(run)})"
        for run in runs
    )
    return "; ".join(named) or provenance.UNKNOWN
