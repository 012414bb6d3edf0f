"""Tables for a terminal. Every text is shown as it is: neither markup nor control codes work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from harness.report import provenance, ratios, rows, summary
from harness.report import results as latencies
from harness.report.provenance import Run
from harness.report.table import Table, Tone

if TYPE_CHECKING:
    import pandas as pd

_STYLES: dict[Tone, str] = {"": "", "good": "green", "bad": "bold red", "muted": "dim"}


def results(frame: pd.DataFrame) -> RenderableType:
    """What a run came to: latency and memory by layer and framework, failures, how far to trust it.

    Args:
        frame: what `harness.store.load` returns.
    """
    newest = rows.newest(frame)
    latency = latencies.latency(newest, latencies.latency_and_memory_cell, with_layer=True)
    caption = "median latency ± half of its 95 % interval, peak memory of a call"
    parts: list[RenderableType] = [table(latency), _text(caption, "dim")] if latency else []
    if failures := latencies.failures(newest):
        parts += [_text("\nFailures", "bold"), table(failures)]
    sentences = summary.outcome(newest)
    return Group(*parts, Text(), *map(_text, sentences))


def comparison(compared: pd.DataFrame, base: Sequence[Run], other: Sequence[Run]) -> RenderableType:
    """What was compared, in what else the two differ, each case, and all cases in a sentence.

    Args:
        compared: what `harness.compare.runs` returns.
        base: what the ``run.json`` of each run of the base holds.
        other: likewise.
    """
    differences = provenance.differences(base, other)
    parts = [_text(f"{name}: {_runs(runs)}") for name, runs in (("base", base), ("other", other))]
    if differences:
        parts.append(_text("The two differ in more than their figures:", "yellow"))
        parts += [_text(f"  {difference}", "yellow") for difference in differences]
    sentences = summary.change(compared)
    return Group(*parts, Text(), table(ratios.runs(compared)), *map(_text, sentences))


def machine(description: Mapping[str, Any]) -> RenderableType:
    """A machine: the ``machine`` entry of a ``run.json``."""
    return table(provenance.machine_table([{"machine": description}]))


def table(content: Table) -> RichTable:
    """A table with figures flush right."""
    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name, numeric in zip(content.header, content.numeric, strict=True):
        drawn.add_column(_text(name), justify="right" if numeric else "left", overflow="fold")
    for row in content.rows:
        drawn.add_row(*(_text(cell.text, _STYLES[cell.tone]) for cell in row))
    return drawn


def _text(text: str, style: str = "") -> Text:
    printable = "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)
    return Text(printable, style)


def _runs(runs: Iterable[Run]) -> str:
    named = (
        f"{run.get('run_id')} ({run.get('sweep')}, {run.get('started_at')}, "
        f"commit {provenance.commit(run)})"
        for run in runs
    )
    return "; ".join(named) or provenance.UNKNOWN
