"""The table of measured ceilings: the best that each run reached, which shares are taken of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from harness import units
from harness.report.provenance import UNKNOWN, Run, get, in_order, machine_id
from harness.report.table import Cell, Table

_Record: TypeAlias = Mapping[str, Any]

_NO_BREAK = "\u00a0"
_BENCH = ("framework", "device", "threads", "dtype")
"""What ceilings are measured for; each pass of a run measures them again, and the best counts."""


def table(runs: Sequence[Run]) -> Table:
    """One line a run, framework, device, thread count and dtype: the best over the run's passes."""
    lines = [
        (run, bench, records)
        for run in in_order(runs)
        for bench, records in _by_bench(run.get("ceilings") or []).items()
    ]
    working_sets = sorted({size for _, _, records in lines for size in _bandwidth(records)})
    names: dict[str, Callable[[Run], str]] = {
        "Machine": machine_id,
        "Run": lambda run: str(run.get("run_id") or UNKNOWN),
    }
    # What is the same everywhere need not be told.
    names = {name: text for name, text in names.items() if len({text(run) for run in runs}) > 1}
    header = [
        *names,
        *(name if name == "dtype" else name.capitalize() for name in _BENCH),
        "Compute",
        *(f"Memory, {units.size_tick(size).replace(' ', _NO_BREAK)}" for size in working_sets),
        "Overhead of a call",
    ]
    return Table.of(
        header,
        (
            [
                *(text(run) for text in names.values()),
                *bench,
                _rate(max(_known(records, "flop_per_s"), default=None), "FLOP/s"),
                *(_rate(_bandwidth(records).get(size), "B/s") for size in working_sets),
                _time(min(_known(records, "call_overhead_s"), default=None)),
            ]
            for run, bench, records in lines
        ),
    )


def _by_bench(records: Iterable[_Record]) -> dict[tuple[str, ...], list[_Record]]:
    found: dict[tuple[str, ...], list[_Record]] = {}
    for record in records:
        found.setdefault(tuple(str(get(record, name)) for name in _BENCH), []).append(record)
    return dict(sorted(found.items()))


def _known(records: Iterable[_Record], name: str) -> list[float]:
    return [value for record in records if (value := get(record, name)) is not None]


def _bandwidth(records: Iterable[_Record]) -> dict[float, float]:
    """The best rate in bytes a second by working set in bytes."""
    best: dict[float, float] = {}
    for record in records:
        for working_set, rate in get(record, "bandwidth") or []:
            best[working_set] = max(rate, best.get(working_set, rate))
    return best


def _rate(value: float | None, unit: str) -> Cell:
    return Cell(units.quantity(value, unit), value)


def _time(value: float | None) -> Cell:
    return Cell(units.seconds(value), value)


@dataclass(frozen=True)
class Best:
    """The best that a machine was measured to do, in one dtype on one device.

    Attributes:
        flop_per_s: of a matrix product.
        memory: the largest working set in bytes, and the rate in bytes a second at it.
        cache: the working set with the highest rate, and that rate.
    """

    flop_per_s: float
    memory: tuple[float, float]
    cache: tuple[float, float]


def best(runs: Iterable[Run], device: str, dtype: str, threads: int) -> Best | None:
    """The best of all frameworks and passes of some runs; None if nothing was measured.

    A rate is the machine's, whichever framework reached it; see `harness.store.roofline`.

    Args:
        runs: of one machine.
        device: of the ceilings, as are the next two.
        dtype: likewise.
        threads: likewise.
    """
    here = [
        record
        for run in runs
        for record in run.get("ceilings") or []
        if [get(record, name) for name in ("device", "dtype", "threads")]
        == [device, dtype, threads]
    ]
    rates, bandwidth = _known(here, "flop_per_s"), _bandwidth(here)
    if not rates or not bandwidth:
        return None
    largest, fastest = max(bandwidth), max(bandwidth, key=lambda size: bandwidth[size])
    return Best(max(rates), (largest, bandwidth[largest]), (fastest, bandwidth[fastest]))
