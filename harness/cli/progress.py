"""Shows a run as it goes; redrawn between cases only, so that drawing disturbs no measurement."""

from __future__ import annotations

import time
from collections import deque
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


class Progress:
    """A bar with the time left and the last rows; plain lines where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._rows: deque[tuple[str, ...]] = deque(maxlen=LAST_ROWS)
        self._start = time.monotonic()
        self._round_start = self._start

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
                self._console.print(f"{_round_name(event)}: {event.total} cases", highlight=False)
            return
        row = _row(event.measurement)
        if self._live:
            self._rows.append(row)
            self._live.update(self._view(event), refresh=True)
        elif event.pass_index == 0 or event.measurement.status.failed:
            count = f"{event.done}/{event.total}"
            self._console.print(f"{count:>9}  {'  '.join(row)}", highlight=False, markup=False)

    def _view(self, event: Event) -> Group:
        table = Table(box=None, pad_edge=False, expand=True)
        for name, justify in zip(
            ("case", "median", "within process", "memory", "status"),
            ("left", "right", "right", "right", "left"),
            strict=True,
        ):
            table.add_column(name, justify=justify, no_wrap=True, header_style="dim")  # type: ignore[arg-type]
        for *cells, status in self._rows:
            style = _COLOURS.get(Status(status), "red")
            table.add_row(*map(Text, cells), Text(status, style=style))
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


def _row(measurement: Measurement) -> tuple[str, ...]:
    median, interval = units.MISSING, ""
    if measurement.samples_s:
        found = stats.median_interval(measurement.samples_s)
        median = units.seconds(found.value)
        interval = f"±{units.percent(found.relative_half_width)}"
    return (
        measurement.case.id,
        median,
        interval,
        units.size(measurement.peak_memory_bytes),
        str(measurement.status),
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
