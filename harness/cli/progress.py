"""Shows a run as it goes; redrawn between cases only, so that drawing disturbs no measurement."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness import disturbance, stats, units
from harness.runner import Event
from harness.types import Case, Measurement, Status

LAST_ROWS = 8
MEMORY_ROUND = 0.5
"""How long the memory round takes, in latency passes, as seen; it comes after the first."""
_COLOURS = {Status.OK: "green", Status.UNSUPPORTED: "yellow", Status.NOT_APPLICABLE: "yellow"}


@dataclass
class _Row:
    """What is known of a case so far, from whatever round."""

    case: Case
    median: str = units.MISSING
    interval: str = ""
    memory: str = units.MISSING
    status: Status = Status.OK

    def update(self, measurement: Measurement) -> None:
        self.status = measurement.status
        if measurement.samples_s:
            found = stats.series_interval(disturbance.only_counted(measurement).samples_s)
            self.median = units.seconds(found.value)
            self.interval = f"±{units.percent(found.relative_half_width)}"
        if measurement.probe == "memory":
            self.memory = units.peak_memory(
                measurement.peak_memory_bytes, measurement.memory_method
            )

    @property
    def cells(self) -> tuple[str, ...]:
        return self.case.id, self.median, self.interval, self.memory

    @property
    def name(self) -> str:
        """What tells cases of one sweep apart comes first, as a narrow terminal cuts the end."""
        case = self.case
        sizes = f"b{case.batch}" if case.seq is None else f"b{case.batch}-s{case.seq}"
        conditions = (case.framework, case.mode, case.execution, case.dtype, case.device)
        params = (f"{name}={value}" for name, value in case.params)
        return " ".join((case.layer, sizes, *conditions, *params))


class Progress:
    """A bar with the time left and the last rows; plain lines where there is no terminal."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._known: dict[str, _Row] = {}
        self._last: deque[_Row] = deque(maxlen=LAST_ROWS)
        self._round_start = 0.0
        self._case_s: float | None = None
        """Seconds a case in a latency pass, worker starts shared out, once one has been timed."""

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
            self._round_start = self._clock()
            if not self._live:
                cases = units.count(event.total, "case")
                self._console.print(f"{_round_name(event)}: {cases}")
        else:
            row = self._take(event.measurement)
            if not self._live and (event.pass_index == 0 or row.status.failed):
                line = "  ".join((f"{event.done}/{event.total}", *row.cells, row.status))
                self._console.print(Text(line), soft_wrap=True)
        if event.probe == "latency" and event.done == event.total:
            self._case_s = (self._clock() - self._round_start) / event.total
        if self._live:
            self._live.update(self._view(event), refresh=True)

    def _take(self, measurement: Measurement) -> _Row:
        row = self._known.setdefault(measurement.case.id, _Row(measurement.case))
        row.update(measurement)
        if row in self._last:
            self._last.remove(row)
        self._last.append(row)
        return row

    def _view(self, event: Event) -> Group:
        table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
        table.add_column("last cases", ratio=1, no_wrap=True, overflow="ellipsis")
        for heading, width in (("median", 8), ("in process", 10), ("memory", 8)):
            table.add_column(heading, justify="right", min_width=width, no_wrap=True)
        table.add_column("status", min_width=7, no_wrap=True)
        for row in self._last:
            style = _COLOURS.get(row.status, "red")
            cells = (row.name, *row.cells[1:])
            table.add_row(*map(Text, cells), Text(row.status, style=style))
        bar = Table.grid(padding=(0, 1), expand=True)
        bar.add_column(no_wrap=True)
        bar.add_column(ratio=1)
        bar.add_column(no_wrap=True)
        bar.add_row(
            _round_name(event),
            ProgressBar(event.total, event.done),
            f"{event.done}/{event.total}  {self._time_left(event)}",
        )
        # A terminal echoes Ctrl-C as "^C" at the cursor. At the end of a full line that would
        # wrap, and the next drawing would miss its place; an empty line has room for it.
        return Group(*([table] if self._last else []), bar, Text())

    def _time_left(self, event: Event) -> str:
        """For this round, and for the run where the number of its passes is known."""
        if not event.done:
            return "starting"
        latency = event.probe == "latency"
        pace = (self._clock() - self._round_start) / event.done
        if latency:
            pace = self._case_s or pace
        left = pace * (event.total - event.done)
        text = f"{_minutes(left)} left in this {'pass' if latency else 'round'}"
        case_s = pace if latency else self._case_s
        if event.passes is None or case_s is None:
            return text
        passes = event.passes - 1 - event.pass_index
        memory = MEMORY_ROUND if latency and event.pass_index == 0 else 0.0
        later = (passes + memory) * event.total * case_s
        return f"{text}, about {_minutes(left + later)} in all"


def _round_name(event: Event) -> str:
    if event.probe == "memory":
        return "memory"
    of = f" of {event.passes}" if event.passes else ""
    return f"pass {event.pass_index + 1}{of}"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
