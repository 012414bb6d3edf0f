"""Decides what is drawn of a layer: which figure against which axis, and what is held fixed.

Pure selection; `charts` draws it. One panel a figure (latency, throughput, peak memory), mode and
axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from harness import units
from harness.report.rows import NOT_MEASURED, Row, mode_order, ordered_series
from harness.stats import Interval
from harness.types import Status

AXES = {"batch": "batch size", "seq": "sequence length"}


@dataclass(frozen=True)
class Metric:
    """A figure that can be drawn.

    Attributes:
        title: its name, as a heading.
        figure: its value with its interval, or None where a row has none.
        text: a value as text.
        tick: a round value as text.
        binary: whether round values are powers of two.
    """

    title: str
    figure: Callable[[Row], Interval | None]
    text: Callable[[float], str]
    tick: Callable[[float], str]
    binary: bool = False


def per_second(count: float, latency: Interval) -> Interval:
    """How many a second, of which a call of this latency does so many; slow is few."""
    return Interval(count / latency.value, count / latency.high, count / latency.low)


def _items(row: Row) -> Interval | None:
    return None if row.latency is None else per_second(row.batch, row.latency)


def _tokens(row: Row) -> Interval | None:
    if row.latency is None or row.seq is None:
        return None
    return per_second(row.batch * row.seq, row.latency)


def _memory(row: Row) -> Interval | None:
    value = row.peak_memory_bytes
    return None if value is None else Interval(value, value, value)


def _throughput(unit: str, figure: Callable[[Row], Interval | None]) -> Metric:
    """The unit is the title; beside a figure a prefix such as k would run into it."""
    text, tick = partial(units.quantity, unit=""), partial(units.quantity_tick, unit="")
    return Metric(unit, figure, text, tick)


LATENCY = Metric("Latency", lambda row: row.latency, units.seconds, units.seconds_tick)
TOKENS = _throughput("Tokens/s", _tokens)
ITEMS = _throughput("Items/s", _items)
MEMORY = Metric("Peak memory", _memory, units.size, units.size_tick, binary=True)


def metrics(rows: Iterable[Row]) -> tuple[Metric, ...]:
    """What is drawn of a layer: one over sequences does tokens, any other items of its batch."""
    throughput = TOKENS if any(row.seq is not None for row in rows) else ITEMS
    return LATENCY, throughput, MEMORY


@dataclass(frozen=True)
class Line:
    """One framework and execution: figures by axis value, and statuses of what failed."""

    series: str
    points: tuple[tuple[int, Interval], ...]
    failures: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Panel:
    """One drawing.

    Attributes:
        metric: what is drawn upwards.
        mode: forward, backward or train.
        axis: what is drawn to the right: a key of `AXES`.
        held: what the other axis is held fixed at, as text; empty where there is no other.
        ticks: the values of the axis that were tried, rising; whether or not all can be drawn,
            so that all figures have the same axis.
        lines: those with anything to draw.
    """

    metric: Metric
    mode: str
    axis: str
    held: str
    ticks: tuple[int, ...]
    lines: tuple[Line, ...]

    @property
    def description(self) -> str:
        """Every figure of the drawing in words, for those who do not see it."""
        lines = (
            f"{line.series}: "
            + ", ".join(
                [f"{x}: {self.metric.text(figure.value)}" for x, figure in line.points]
                + [f"{x}: {status}" for x, status in line.failures]
            )
            for line in self.lines
        )
        title = f"{self.metric.title}, {self.mode}, against {AXES[self.axis]}"
        return f"{title}{f' at {self.held}' if self.held else ''}. {'; '.join(lines)}."

    def told(self, line: Line, place: int, figure: Interval) -> str:
        """One mark in words: ``torch eager, batch size 32: 1.20 ms (1.10–1.30)``.

        Args:
            line: that the mark is of.
            place: its value of the axis.
            figure: what it stands for.
        """
        where = f"{line.series}, {AXES[self.axis]} {place}"
        text, low, high = map(self.metric.text, (figure.value, figure.low, figure.high))
        if figure.low == figure.high:
            return f"{where}: {text}"
        unit = text.partition(" ")[2]
        if low.endswith(unit) and high.endswith(unit):
            low, high = low.partition(" ")[0], high.partition(" ")[0]
        return f"{where}: {text} ({low}–{high})"


def panels(rows: Sequence[Row], metric: Metric) -> list[Panel]:
    """The panels of one layer in one setting; none where no axis has two values.

    Args:
        rows: of one layer, device, dtype, thread count and parameters.
        metric: the figure to draw.
    """
    tried = [row for row in rows if row.status not in NOT_MEASURED]
    chosen = [
        _panel(group, metric, mode, axis)
        for mode in sorted({row.mode for row in tried}, key=mode_order)
        for axis in AXES
        if (group := _slice([row for row in tried if row.mode == mode], axis))
    ]
    return chosen if any(line.points for panel in chosen for line in panel.lines) else []


def _slice(rows: Sequence[Row], axis: str) -> list[Row]:
    """The rows with the largest other axis value at which this axis has two values or more."""
    other = "seq" if axis == "batch" else "batch"
    by_other: dict[int, list[Row]] = {}
    for row in rows:
        if getattr(row, axis) is not None:
            by_other.setdefault(getattr(row, other) or 0, []).append(row)
    for value in sorted(by_other, reverse=True):
        if len({getattr(row, axis) for row in by_other[value]}) > 1:
            return by_other[value]
    return []


def _panel(rows: Sequence[Row], metric: Metric, mode: str, axis: str) -> Panel:
    first = rows[0]
    if axis == "seq":
        held = f"batch size {first.batch}"
    else:
        held = "" if first.seq is None else f"sequence length {first.seq}"
    lines = []
    for name in ordered_series(rows):
        members = sorted(
            (row for row in rows if row.series == name),
            key=lambda row: int(getattr(row, axis)),
        )
        points = tuple(
            (int(getattr(row, axis)), figure)
            for row in members
            if row.status == Status.OK
            and (figure := metric.figure(row)) is not None
            and figure.value > 0
            and math.isfinite(figure.value)
        )
        failures = tuple((int(getattr(row, axis)), row.status) for row in members if row.failed)
        if points or failures:
            lines.append(Line(name, points, failures))
    ticks = tuple(sorted({int(getattr(row, axis)) for row in rows}))
    return Panel(metric, mode, axis, held, ticks, tuple(lines))
