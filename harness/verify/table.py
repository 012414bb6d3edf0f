"""The table of the proofs: for a terminal, and as a section of a Markdown file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from rich.table import Column, Table
from rich.text import Text

from harness import units
from harness.devices import machine
from harness.store.writing import write_atomically
from harness.types import UsageError
from harness.verify.row import Row, Verdict

_STYLES = {Verdict.OK: "green", Verdict.FAILS: "bold red"}


def rendered(name: str, rows: Sequence[Row], taken_s: float) -> Table:
    """One proof's rows for a terminal."""
    table = Table(
        *(Column(header, overflow="fold") for header in ("check", "expected", "found", "verdict")),
        title=f"{name} ({taken_s:.0f} s)",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    for row in rows:
        style = _STYLES.get(row.verdict, "dim")
        table.add_row(
            Text(row.check), Text(row.expected), Text(row.found), Text(str(row.verdict), style)
        )
    return table


def check(path: Path, names: Iterable[str]) -> str:
    """The text of a file that has, for each proof, ``<!-- NAME -->`` and ``<!-- end NAME -->``.

    Raises:
        UsageError: the file cannot be read, or a section is missing.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    for name in names:
        if any(text.count(mark) != 1 for mark in _marks(name)):
            raise UsageError(f"{path} needs one section between {' and '.join(_marks(name))}")
    return text


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->", f"<!-- end {name} -->"


def write(path: Path, found: Mapping[str, Sequence[Row]]) -> None:
    """Replaces, in the file, the section of each proof that ran; the others stay as they were.

    Raises:
        UsageError: as `check`.
    """
    text = check(path, found)
    stamp = _stamp(machine.describe())
    for name, rows in found.items():
        start, end = _marks(name)
        before, _, rest = text.partition(start)
        after = rest.partition(end)[2]
        text = f"{before}{start}\n{stamp}\n\n{markdown(rows)}\n{end}{after}"
    write_atomically(path, text.encode())


def markdown(rows: Sequence[Row]) -> str:
    """One proof's rows as a Markdown table."""
    cells = [(row.check, row.expected, row.found, str(row.verdict)) for row in rows]
    lines = [("check", "expected", "found", "verdict"), ("---",) * 4, *cells]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _stamp(this: Mapping[str, Any]) -> str:
    """On which machine, with what, when, and how busy it was."""
    cpu, versions = this["cpu"], this["versions"]
    software = ", ".join(
        f"{name} {versions[name]}" for name in ("torch", "tensorflow") if name in versions
    )
    gpus = "".join(f", {gpu['name']}" for gpu in this["gpus"])
    load = psutil.getloadavg()[0]
    return (
        f"{cpu['model']}, {units.count(cpu['logical_cores'], 'CPU')}{gpus}; {software}; "
        f"{datetime.now(UTC):%Y-%m-%d}, load average {load:.1f} at the end."
    )
