"""What each layer of a model takes of its time: latency times how often the layer occurs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from harness import units
from harness.report import facets, rows
from harness.report.rows import Row
from harness.report.table import Cell, Table
from harness.stats import Interval
from harness.types import Status

if TYPE_CHECKING:
    import pandas as pd

EXPLAINED = (
    "The median latency of a layer in each of its shapes, times how often one call of the model "
    "has that shape, summed up. Brackets hold the sums of the lower and of the upper ends of the "
    "95 % intervals, as if all erred to one side: the widest that they come to. Only layers that "
    "the sweep lists are in it, each measured by itself, with its weights and inputs in cache as "
    "far as they fit. So it tells where the time of a model goes, and not how long the model takes."
)
_NAMED = 3
"""Shapes without a time that a sentence names."""

_Key: TypeAlias = tuple[str, int, str, tuple[str, str, int]]


@dataclass(frozen=True)
class Budget:
    """One model at one batch size in one mode and setting.

    Attributes:
        title: ``BERT-base, batch 8, forward``.
        setting: ``cpu, float32, 1 thread``.
        table: a line a layer, and one for all of them; time and share for each series.
        remarks: what is missing from the sums, and why.
        facets: what a page can be narrowed by.
    """

    title: str
    setting: str
    table: Table
    remarks: tuple[str, ...]
    facets: Mapping[str, str]


def section(frame: pd.DataFrame) -> list[Budget]:
    """The budgets of each model in a frame, from the latest run of it."""
    if "model" not in frame:
        return []
    grouped: dict[_Key, list[Row]] = {}
    found = rows.read(frame[frame["model"] != ""])
    for row in _latest([row for row in found if row.occurrences > 0]):
        setting = (row.device, row.dtype, row.threads)
        grouped.setdefault((row.model, row.model_batch, row.mode, setting), []).append(row)
    ordered = sorted(grouped, key=lambda key: (key[0], key[3], key[1], rows.mode_order(key[2])))
    return [_budget(key, grouped[key]) for key in ordered]


def _latest(found: Sequence[Row]) -> Iterator[Row]:
    """Those of each series' last run, which has planned all of the model's shapes anew."""

    def whole(row: Row) -> tuple[object, ...]:
        model = (row.machine_id, row.model, row.model_batch, row.mode, row.configuration)
        return *model, row.device, row.dtype, row.threads

    last: dict[tuple[object, ...], str] = {}
    for row in found:
        last[whole(row)] = max(row.run_id, last.get(whole(row), ""))
    return (row for row in found if row.run_id == last[whole(row)])


def _budget(key: _Key, members: Sequence[Row]) -> Budget:
    model, batch, mode, setting = key
    series = rows.ordered_series(members)
    by_series = {name: [row for row in members if row.series == name] for name in series}
    totals = {name: _time(own) for name, own in by_series.items()}
    layers = rows.by_layer(members)

    def line(title: str, of: Sequence[Row]) -> list[Cell | str]:
        shapes = {(row.layer, _shape(row)): row.occurrences for row in of}
        calls = sum(shapes.values())
        cells: list[Cell | str] = [
            title,
            Cell(str(len(shapes)), len(shapes)),
            Cell(str(calls), calls),
        ]
        for name in series:
            own = [row for row in of if row.series == name]
            cells += _cells(own, totals[name])
        return cells

    def most(layer: str) -> float:
        times = (_time([row for row in layers[layer] if row.series == name]) for name in series)
        return max((time.value for time in times if time), default=0.0)

    header = ["Layer", "Shapes", "Calls", *(text for name in series for text in (name, "Share"))]
    lines = [line(layer, layers[layer]) for layer in sorted(layers, key=most, reverse=True)]
    return Budget(
        title=f"{model}, batch {batch}, {mode}",
        setting=rows.setting_text((*setting, "")),
        table=Table.of(header, [*lines, line("together", members)]),
        remarks=tuple(filter(None, map(_missing, series, by_series.values()))),
        facets=facets.of(members),
    )


def _shape(row: Row) -> str:
    """``b128 in_features=768, …``."""
    return f" {row.shape} {row.params}".rstrip()


def _time(members: Sequence[Row]) -> Interval | None:
    """Of all their calls in one call of the model; None if none of them has a time."""
    timed = [(row.latency, row.occurrences) for row in members if row.latency]
    if not timed:
        return None
    return Interval(
        *(
            sum(getattr(latency, end) * times for latency, times in timed)
            for end in ("value", "low", "high")
        )
    )


def _untimed(members: Sequence[Row]) -> list[Row]:
    """What has no time, and would have one: in inference there is no dropout."""
    return [row for row in members if not row.latency and row.status != Status.NOT_APPLICABLE]


def _cells(own: Sequence[Row], total: Interval | None) -> tuple[Cell, Cell]:
    """Its time, marked where it is not all, and its share of all that has a time."""
    time, untimed = _time(own), _untimed(own)
    if time is None or total is None or not total.value:  # of a table that says it took no time
        words = ", ".join(dict.fromkeys(row.status for row in untimed or own))
        failed = any(row.failed for row in own)
        return Cell(words or units.MISSING, tone="bad" if failed else "muted"), Cell(units.MISSING)
    text = units.seconds_interval(time.value, time.low, time.high)
    share = time.value / total.value
    return (
        Cell(f"at least {text}" if untimed else text, time.value),
        Cell(units.percent(share), share),
    )


def _missing(name: str, own: Sequence[Row]) -> str:
    """A sentence on the shapes of a series that have no time; empty if all have one."""
    untimed = _untimed(own)
    if not untimed:
        return ""
    lost, planned = (sum(row.occurrences for row in some) for some in (untimed, own))
    named = [f"{row.layer}{_shape(row)} ({row.status}: {row.reason})" for row in untimed]
    rest = f"; and {units.count(len(named) - _NAMED, 'more shape')}" if named[_NAMED:] else ""
    return (
        f"{name}: {lost} of {units.count(planned, 'call')} "
        f"{'have' if lost > 1 else 'has'} no time, so that the sums are of the others: "
        f"{'; '.join(islice(named, _NAMED))}{rest}."
    )
