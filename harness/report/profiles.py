"""A profile as a table, a chart of memory over time, files, and a page that holds them."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from harness import units
from harness.report.canvas import FONT_SIZE, HUES, MUTED, canvas, set_ticks
from harness.report.page import environment
from harness.report.svg import to_svg
from harness.report.table import Cell, Table
from harness.types import Case

FOLDER = "profiles"
"""Beside a run's own files, what a report of the run leads to."""
PAGE = "index.html"
_WIDTH, _HEIGHT = 640.0, 220.0
_MARGINS = (74.0, 16.0, 12.0, 42.0)
_TICKS = 4


class Cost(Protocol):
    """What all calls of one operator cost; see `harness.profilers.operators.Cost`."""

    name: str
    calls: int
    self_s: float
    total_s: float
    memory_bytes: int
    is_kernel: bool


def operators(costs: Sequence[Cost], most: int | None = None) -> Table:
    """The operators of a call, the costliest first; `most` of them, or all."""
    whole = sum(cost.self_s for cost in costs)
    return Table.of(
        ("Operator", "Where", "Calls", "Self time", "Share", "Total time", "Memory"),
        (
            [
                cost.name,
                "GPU" if cost.is_kernel else "host",
                Cell(str(cost.calls), cost.calls),
                Cell(units.seconds(cost.self_s), cost.self_s),
                Cell(units.percent(cost.self_s / whole if whole else None), cost.self_s),
                Cell(units.seconds(cost.total_s), cost.total_s),
                Cell(units.size(cost.memory_bytes), cost.memory_bytes),
            ]
            for cost in costs[:most]
        ),
    )


def files(
    case: Case, version: str, costs: Sequence[Cost], memory: Sequence[tuple[float, int]]
) -> dict[str, str]:
    """The files of a profile by name, beside the trace itself.

    Args:
        case: what was called.
        version: of the framework.
        costs: of the operators.
        memory: (seconds since the call began, bytes held above the beginning) after each change.
    """
    written = {
        "operators.csv": _csv(
            ("operator", "is_kernel", "calls", "self_s", "total_s", "memory_bytes"),
            [(c.name, c.is_kernel, c.calls, c.self_s, c.total_s, c.memory_bytes) for c in costs],
        ),
        "memory.csv": _csv(("at_s", "held_bytes"), memory),
    }
    chart = _memory_chart(memory) if memory else ""
    if chart:
        written["memory.svg"] = chart
    written[PAGE] = (
        environment()
        .get_template("profile.html.j2")
        .render(case=case.id, version=version, chart=chart, operators=operators(costs))
    )
    return written


def found(run: Path, out: Path) -> Mapping[str, str]:
    """Profile pages beside a run, by case: links to them from the folder `out`.

    Whatever a folder is called, a link leads to a file: it has no scheme, no query, no fragment.
    """
    folder = run / FOLDER
    return {
        page.parent.relative_to(folder).as_posix(): _link(page.parent.resolve() / PAGE, out)
        for page in ([] if folder.is_symlink() else sorted(folder.rglob(PAGE)))
        if page.is_file() and not page.is_symlink()
    }


def _link(page: Path, out: Path) -> str:
    path = Path(os.path.relpath(page, out.resolve())).as_posix()
    return quote(
        path if path.startswith("../") else f"./{path}", safe="/=", errors="surrogateescape"
    )


def _csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _memory_chart(memory: Sequence[tuple[float, int]]) -> str:
    """Memory over time, as steps."""
    times, held = zip((0.0, 0), *memory, strict=True)
    figure, axes = canvas(_WIDTH, _HEIGHT, _MARGINS)
    axes.step(times, held, where="post", color=HUES[1], linewidth=1.4)
    axes.fill_between(times, held, step="post", color=HUES[1], alpha=0.15, linewidth=0)
    set_ticks(axes, "x", _even(max(times)), units.seconds)
    set_ticks(axes, "y", _even(max(held)), units.size)
    axes.set_xlabel("time since the call began", color=MUTED, size=FONT_SIZE, labelpad=4)
    peak = max(held)
    at = times[held.index(peak)]
    description = (
        f"Memory held over the call; at most {units.size(peak)}, after {units.seconds(at)}."
    )
    return to_svg(figure, "memory", description, {})


def _even(high: float) -> list[float]:
    return [high * step / _TICKS for step in range(_TICKS + 1)]
