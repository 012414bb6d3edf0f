"""A comment for a pull request: the verdict first, then what changed, all else folded.

GitHub takes 65,536 characters. The text is cut by whole rows, with a sentence saying how many are
missing, and it is measured in bytes, of which no text has fewer than characters in any count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness import units
from harness.gate.outcome import Outcome
from harness.report.gate import tables, wording
from harness.report.markdown import escape
from harness.report.table import Cell, Table
from harness.report.text import printable

MARKER = "<!-- layerbench-regress -->"
"""Opens the comment, so that the next run finds it and updates it."""
LIMIT_BYTES = 65_535
LONGEST_TEXT = 200
LONGEST_COMMAND = 2_000


@dataclass(frozen=True)
class Room:
    """How long a document may be, how many characters a text in it, and what holds the rest."""

    limit_bytes: int
    longest_text: int
    elsewhere: str


@dataclass(frozen=True)
class _Section:
    """Lines of which the last may be left out, under what comes before them.

    Attributes:
        opening: a table's heading; may be empty.
        lines: rows of the table, or points of a list.
        title: of the fold that it is in; empty if it is in none.
        rank: the higher, the sooner its lines are left out.
    """

    opening: str
    lines: Sequence[str]
    title: str
    rank: int


def render(outcome: Outcome) -> str:
    """The comment, shorter than 65,536 characters."""
    elsewhere = "The job's summary and the JSON hold"
    room = Room(LIMIT_BYTES - len(MARKER) - 1, LONGEST_TEXT, elsewhere)
    return f"{MARKER}\n{document(outcome, room)}"


def document(outcome: Outcome, room: Room) -> str:
    """What was found, without the marker, in no more than the bytes there are."""
    outcome = _shortened(outcome, room.longest_text)
    details = "\n".join(f"- {escape(text)}" for text in wording.details(outcome))
    opening = [f"**{escape(wording.headline(outcome))}**", details]
    closing = _again(wording.command(outcome))
    sections = list(_sections(outcome, room))

    def together(kept: Sequence[int]) -> str:
        blocks = map(_block, sections, kept, [room] * len(kept))
        return "\n\n".join([*opening, *blocks, closing]) + "\n"

    kept = [0] * len(sections)
    left = room.limit_bytes - len(together(kept).encode())
    for index in sorted(range(len(kept)), key=lambda index: sections[index].rank):
        kept[index], left = _fitting(sections[index].lines, left)
    return together(kept)


def _sections(outcome: Outcome, room: Room) -> Iterator[_Section]:
    """In the order in which they are shown."""
    if outcome.notes:
        yield _Section("", [f"> - {escape(note)}" for note in outcome.notes], "", rank=0)
    for rank, (name, chosen) in enumerate(tables.parts(outcome), start=2):
        title = f"{units.count(len(chosen), 'figure')} {name}" if name else ""
        yield _section(tables.table(chosen), code, title, rank, room)
    yield _section(tables.sides(outcome), escape, "What was compared", 1, room)
    yield _section(tables.machine(outcome), escape, "Machine", 1, room)


def _section(
    table: Table, first: Callable[[str], str], title: str, rank: int, room: Room
) -> _Section:
    """A table, the first cell of whose rows is written in a way of its own."""

    def line(row: Sequence[Cell]) -> str:
        name, *others = row
        return _line([first(_clipped(name.text, room.longest_text)), *map(cell_text, others)])

    def cell_text(cell: Cell) -> str:
        text = escape(_clipped(cell.text, room.longest_text))
        return text if cell.figure is None else text.replace(" ", "\u00a0")

    header = [_clipped(name, room.longest_text) for name in table.header]
    rules = ("---:" if numeric else "---" for numeric in table.numeric)
    opening = f"{_line(map(escape, header))}\n{_line(rules)}\n"
    return _Section(opening, list(map(line, table.rows)), title, rank)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _block(section: _Section, kept: int, room: Room) -> str:
    parts = [section.opening + "\n".join(section.lines[:kept])]
    if missing := len(section.lines) - kept:
        rows = units.count(missing, "more row")
        parts.append(f"{rows} would make this too long. {room.elsewhere} all.")
    if section.title:
        parts = [f"<details><summary>{section.title}</summary>", *parts, "</details>"]
    return "\n\n".join(parts)


def _fitting(lines: Sequence[str], room_bytes: int) -> tuple[int, int]:
    """How many of the lines fit, from the first on, and how many bytes are left then."""
    for index, line in enumerate(lines):
        needed = len(line.encode()) + 1
        if needed > room_bytes:
            # What is left is for nobody: shorter lines of less weight would look like a choice.
            return index, 0
        room_bytes -= needed
    return len(lines), room_bytes


def _again(command: str) -> str:
    """How to do it again, in a block that nothing in the command can end."""
    text = printable(command)
    if not text or len(text) > LONGEST_COMMAND:
        why = "is too long to be shown" if text else "that came with this is none of layerbench's"
        return f"To do it again: the command {why}."
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"To do it again:\n\n{fence}sh\n{text}\n{fence}"


def code(text: str) -> str:
    """Text on one line as code, where nothing links and nobody is notified.

    Backticks are enough for most; what would end them or the cell goes as character references,
    which no notation is read from.
    """
    if not re.search(r"[`|\\]", text):
        return f"`{text}`"
    return f"<code>{''.join(map(_reference, text))}</code>"


def _reference(sign: str) -> str:
    return sign if sign.isalnum() or sign == " " else f"&#{ord(sign)};"


def _shortened(outcome: Outcome, longest: int) -> Outcome:
    """With none of the texts that sentences are made of longer than so many characters."""
    cases = tuple(
        replace(
            case,
            case=_clipped(case.case, longest),
            reason=_clipped(case.reason, longest),
            base_status=_clipped(case.base_status, longest),
            head_status=_clipped(case.head_status, longest),
        )
        for case in outcome.cases
    )
    return replace(
        outcome, cases=cases, notes=tuple(_clipped(note, longest) for note in outcome.notes)
    )


def _clipped(text: str, longest: int) -> str:
    """Text on one line, of no more than so many characters."""
    line = " ".join(printable(text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
