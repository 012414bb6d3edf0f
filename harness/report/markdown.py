"""One Markdown file, short enough for a comment on a pull request."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness import units
from harness.gate.history import History
from harness.report import (
    budgets,
    caps,
    ceilings,
    contents,
    heatmap,
    legend,
    provenance,
    ratios,
    results,
    rows,
    summary,
    verdict,
)
from harness.report.attention.section import Section
from harness.report.choose import compiling
from harness.report.choose import section as choose
from harness.report.contents import Contents
from harness.report.history.events import MACHINES
from harness.report.history.section import Block
from harness.report.machines import section as machines
from harness.report.provenance import Run
from harness.report.rows import Row
from harness.report.table import Table
from harness.report.text import CODE, printable

if TYPE_CHECKING:
    import pandas as pd

_SPECIAL = {ord(sign): f"\\{sign}" for sign in "\\`*_[]|~$#"}
_LINKED = re.compile(
    r"(?<=[a-z])(?=://)|(?<=\bwww)(?=\.)|(?<=#)(?=\d)|(?<=\bgh)(?=-\d)", re.IGNORECASE
)
"""Where a URL or the number of an issue is broken, so that GitHub makes no link of it."""
_LISTED = 40
"""Cases of a table that a page lists in full."""
_LIST = re.compile(r"^(\d{0,9})(?=[-+.)] )")
"""What would make a list of a line."""


def render(frame: pd.DataFrame, runs: Sequence[Run], read: Contents | None = None) -> str:
    """The report of a frame of results as Markdown with GitHub's tables.

    Args:
        frame: what `harness.store.load` returns.
        runs: what the ``run.json`` of each of its runs holds; may be empty.
        read: of the frame, if another layout has read it.
    """
    return "\n\n".join(_blocks(frame, runs, read or contents.read(frame, runs))) + "\n"


def _blocks(frame: pd.DataFrame, runs: Sequence[Run], read: Contents) -> Iterator[str]:
    whole, newest, pairs = read.whole, read.newest, read.pairs
    yield f"# {escape(summary.title(whole, runs))}"
    yield "\n".join(f"- {escape(text)}" for text in _verdict(read, runs))
    notes = *summary.notes(frame, whole, runs), *caps.notes(frame, whole, newest, runs)
    for note in (*summary.damage_notes(read.damage), *notes):
        yield f"> {prose(note)}"
    yield from _budgets(read.budgets)
    yield from _attention(read.attention)
    if read.histories:
        yield "## History"
        yield from _histories(read.histories)
    yield "## Frameworks compared"
    if whole:
        yield "\n".join(f"- {escape(text)}" for text in summary.compared(whole, pairs))
    compared = ratios.frameworks(ratios.by_layer(pairs))
    if compared:
        yield legend.RATIO
    yield _or(compared, "No case was measured in two frameworks.")
    yield from _choose(choose.section(newest))
    if sides := read.sides:
        yield "## Machines compared"
        yield from _machines(sides)
    yield "## Latency by layer"
    yield " ".join(
        ["Median of a call, its interval in brackets.", legend.INTERVAL, *legend.explained(newest)]
    )
    yield from _latencies(newest)
    yield "## What is missing"
    yield _or(results.failures(caps.failures(whole)), "No case failed.")
    yield _or(results.not_measured(whole), "Every case could be tried.")
    yield _or(results.warnings(newest), "No row carries a warning.")
    yield "## Machine and software"
    yield _or(provenance.machine_table(runs), "No description of a machine came with the results.")
    listed = caps.runs(runs)
    yield _or(ceilings.table(listed), "No ceilings were measured.")
    yield "## How to reproduce it"
    yield _or(provenance.run_table(listed), "No description of the run came with the results.")
    for command in provenance.commands(listed):
        yield f"    {_inert(command)}"


def histories(found: Sequence[History]) -> str:
    """The histories of machines, for a file or a comment of their own."""
    blocks = ["## History of stored runs", *_histories([Block(history) for history in found])]
    return "\n\n".join(blocks) + "\n"


def comparison(section: machines.Section) -> str:
    """A comparison of machines, for a file or a comment of its own."""
    blocks = [
        f"# {escape(section.title)}",
        *_machines(section),
        f"<details><summary>{section.worst_cases_title}</summary>",
        table(section.worst_cases),
        "</details>",
        "## Machines and software",
        _or(provenance.machine_table(section.runs), "No description came with the results."),
        _or(ceilings.table(section.runs), "No ceilings were measured."),
    ]
    return "\n\n".join(blocks) + "\n"


def table(content: Table) -> str:
    """A table in GitHub's notation."""
    rules = ("---:" if numeric else "---" for numeric in content.numeric)
    lines = [
        [escape(name) for name in content.header],
        rules,
        *([escape(cell.text) for cell in row] for row in content.rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escape(text: str) -> str:
    """Text on one line that stays text: no markup, HTML or link, and no table cell ends in it."""
    return _escaped(_inert(text))


def prose(text: str) -> str:
    """The same, with what stands between backticks left as code, in which nothing is markup."""
    pieces = enumerate(CODE.split(_inert(text)))
    return "".join(f"`{piece}`" if index % 2 else _escaped(piece) for index, piece in pieces)


def _escaped(line: str) -> str:
    unlinked = _LINKED.sub("\u200b", line).translate(_SPECIAL)
    return html.escape(_LIST.sub(r"\1\\", unlinked), quote=False)


def _inert(text: str) -> str:
    """Text on one line that notifies nobody: a zero-width space follows each @."""
    return " ".join(printable(text).split()).replace("@", "@\u200b")


def _or(content: Table, otherwise: str) -> str:
    return table(content) if content else otherwise


def _verdict(read: Contents, runs: Sequence[Run]) -> Iterator[str]:
    """What the first page says: the verdict, what was measured, and the line on trust."""
    yield from verdict.sentences(read.whole, read.sides, read.attention)
    for lead in verdict.histories(read.histories):
        yield f"{lead.title}: {lead.text}" if lead.title else lead.text
    if read.whole:
        yield summary.measured(read.whole, runs)
        yield f"Trust: {verdict.trust(read.whole)}."


def _budgets(found: Sequence[budgets.Budget]) -> Iterator[str]:
    """A table a model, batch size and mode, and what its sums are without."""
    if not found:
        return
    yield "## Layer budgets of models"
    yield budgets.EXPLAINED
    for budget in found:
        yield f"### {escape(budget.title)}"
        yield escape(budget.setting)
        yield table(budget.table)
        for remark in budget.remarks:
            yield f"> {escape(remark)}"


def _attention(found: Section) -> Iterator[str]:
    """A folded group of tables a setting; nothing where there is no such section."""
    if not found:
        return
    yield "## Attention"
    yield from found.paragraphs
    for text in found.uncompared:
        yield f"> {escape(text)}"
    for block in found.blocks:
        yield f"<details><summary>{html.escape(_inert(block.title))}</summary>"
        yield from map(escape, block.remarks)
        for mode, best in block.advice.items():
            yield f"At length n, use …, {escape(mode)}"
            yield table(best)
        for drawn in block.heatmaps:
            over = f"Speedup over {escape(block.base)}, {escape(drawn.title)}"
            yield f"{over}; its interval and density in brackets, and ~ where it may be none"
            yield table(heatmap.table(drawn))
        if crossed := block.crossovers:
            yield "Crossover lengths"
            yield table(crossed)
        yield "</details>"


def _choose(found: choose.Section) -> Iterator[str]:
    """The way back against the way forward, and what compiling comes to; the rest is for a page."""
    for block in found.directions:
        if table_of_means := block.table:
            yield f"## {escape(block.title)}"
            yield found.directions_are
            yield table(table_of_means)
    if found.compiled:
        yield "## Eager against compiled"
        yield from map(escape, found.gains)
        yield "<details><summary>By case</summary>"
        yield found.compiling_is
        yield table(compiling.table(found.compiled[:_LISTED]))
        if (rest := len(found.compiled) - _LISTED) > 0:
            yield f"{units.count(rest, 'more pair')} not listed."
        yield "</details>"


def _histories(blocks: Sequence[Block]) -> Iterator[str]:
    """For each machine the verdict first, then each event with its table, then what was seen."""
    if len(blocks) > 1:
        yield prose(MACHINES)
    for block in blocks:
        yield f"### {escape(block.title)}"
        yield f"**{escape(block.verdict)}**"
        for told in block.events:
            yield f"#### {escape(told.event.title)}"
            yield escape(told.event.runs)
            yield table(told.table)
            if told.causes:
                yield "\n".join(f"- {prose(cause)}" for cause in told.causes)
        for remark in block.remarks:
            yield f"> {escape(remark)}"


def _machines(section: machines.Section) -> Iterator[str]:
    """The verdicts, what else differs, what defies the ceilings, each layer, what is missing."""
    for told in section.verdicts.values():
        yield "\n".join(f"- {escape(sentence)}" for sentence in told)
    for heading, differences in (*section.software.items(), *section.hardware.items()):
        yield f"> {escape(heading)} {'; '.join(map(escape, differences))}"
    if section.expectations:
        yield escape(section.expectations)
    if defying := section.defying:
        yield table(defying)
    if layers := section.layers:
        yield f"By layer. {section.about_ratios} {legend.RATIO}"
        yield table(layers)
        yield section.about_expectations
    if missing := section.missing:
        yield "What cannot be compared:"
        yield table(missing)
    for remark in section.remarks:
        yield f"> {prose(remark)}"


def _latencies(newest: Sequence[Row]) -> Iterator[str]:
    """A folded table a layer."""
    if not newest:
        yield "Nothing was measured."
    for layer, members in rows.by_layer(newest).items():
        yield f"<details><summary>{html.escape(_inert(layer))}</summary>"
        settings = dict.fromkeys(rows.setting_text(row.setting) for row in members)
        yield escape("; ".join(settings))
        yield table(results.latency(members))
        yield "</details>"
