"""Shows a run as it goes; redrawn between cases only, so that drawing disturbs no measurement."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness import stats, units
from harness.runner import Event
from harness.types import Measurement, Status

LAST_ROWS = 8
_COLOURS = {Status.OK: "green", Status.UNSUPPORTED: "yellow", Status.NOT_APPLICABLE: "yellow"}


@dataclass
class _Row:
    """What is known of a case so far, from whatever round."""

    case_id: str
    median: str = units.MISSING
    interval: str = ""
    memory: str = units.MISSING
    status: Status = Status.OK

    def update(self, measurement: Measurement) -> None:
        self.status = measurement.status
        if measurement.samples_s:
            found = stats.median_interval(measurement.samples_s)
            self.median = units.seconds(found.value)
            self.interval = f"±{units.percent(found.relative_half_width)}"
        if measurement.peak_memory_bytes is not None:
            self.memory = units.size(measurement.peak_memory_bytes)

    @property
    def cells(self) -> tuple[str, ...]:
        return self.case_id, self.median, self.interval, self.memory


class Progress:
    """A bar with the time left and the last rows; plain lines where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._known: dict[str, _Row] = {}
        self._last: deque[_Row] = deque(maxlen=LAST_ROWS)
        self._round_start = time.monotonic()

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, event: Event) -> None:
        """Takes what happened and shows it."""
        if event.measurement is None:
            self._round_start = time.monotonic()
            if not self._live:
                self._console.print(f"{_round_name(event)}: {event.total} cases")
            return
        case_id = event.measurement.case.id
        row = self._known.setdefault(case_id, _Row(case_id))
        row.update(event.measurement)
        if self._live:
            if row in self._last:
                self._last.remove(row)
            self._last.append(row)
            self._live.update(self._view(event), refresh=True)
        elif event.pass_index == 0 or event.measurement.status.failed:
            line = "  ".join((f"{event.done}/{event.total}", *row.cells, row.status))
            self._console.print(line, markup=False, soft_wrap=True)

    def _view(self, event: Event) -> Group:
        table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
        table.add_column("last cases", ratio=1, no_wrap=True, overflow="ellipsis")
        for heading, width in (("median", 8), ("in process", 10), ("memory", 8)):
            table.add_column(heading, justify="right", min_width=width, no_wrap=True)
        table.add_column("status", min_width=7, no_wrap=True)
        for row in self._last:
            style = _COLOURS.get(row.status, "red")
            table.add_row(*map(Text, row.cells), Text(row.status, style=style))
        bar = Table.grid(padding=(0, 1), expand=True)
        bar.add_column(no_wrap=True)
        bar.add_column(ratio=1)
        bar.add_column(no_wrap=True)
        bar.add_row(
            _round_name(event),
            ProgressBar(event.total, event.done),
            f"{event.done}/{event.total}  {self._left(event)} left in this pass",
        )
        return Group(table, bar)

    def _left(self, event: Event) -> str:
        pace = (time.monotonic() - self._round_start) / event.done
        return _clock(pace * (event.total - event.done))


def _round_name(event: Event) -> str:
    if event.probe == "memory":
        return "memory"
    of = f" of {event.passes}" if event.passes else ""
    return f"pass {event.pass_index + 1}{of}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
