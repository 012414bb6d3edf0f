"""What is drawn of a roofline: the ceilings of a machine, and a point a case below them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness import units
from harness.report import ceilings
from harness.report.ceilings import Best
from harness.report.provenance import Run, machine_id
from harness.report.rows import Row, mode_order


@dataclass(frozen=True)
class Point:
    """One case.

    Attributes:
        layer: that it is of.
        series: framework and execution.
        intensity: FLOP for each byte of compulsory traffic.
        flop_per_s: that it reached.
    """

    layer: str
    series: str
    intensity: float
    flop_per_s: float


@dataclass(frozen=True)
class Roofline:
    """All cases of one mode that have the same ceilings.

    Attributes:
        machine: its id.
        best: the ceilings, the best of all frameworks and of all runs there.
        points: one or more.
    """

    machine: str
    device: str
    dtype: str
    threads: int
    mode: str
    best: Best
    points: tuple[Point, ...]

    @property
    def setting(self) -> str:
        """``cpu, float32, 1 thread``."""
        return f"{self.device}, {self.dtype}, {units.count(self.threads, 'thread')}"


def rooflines(newest: Iterable[Row], runs: Sequence[Run]) -> list[Roofline]:
    """One a machine, device, dtype, number of threads and mode, where the ceilings are known.

    A case on it stands for what it declares: work over the least traffic it could do with. Its
    true traffic is more, so its true intensity less.
    """
    groups: dict[tuple[str, str, str, int, str], list[Point]] = {}
    for row in newest:
        if row.latency and _drawable(row.intensity) and _drawable(row.flop_per_s):
            assert row.intensity is not None
            assert row.flop_per_s is not None
            key = (row.machine_id, row.device, row.dtype, row.threads, row.mode)
            point = Point(row.layer, row.series, row.intensity, row.flop_per_s)
            groups.setdefault(key, []).append(point)
    found = []
    for key in sorted(groups, key=lambda key: (*key[:4], mode_order(key[4]))):
        machine, device, dtype, threads, mode = key
        here = [run for run in runs if machine_id(run) == machine]
        best = ceilings.best(here, device, dtype, threads)
        if best:
            points = tuple(groups[key])
            found.append(Roofline(machine, device, dtype, threads, mode, best, points))
    return found


def _drawable(value: float | None) -> bool:
    return value is not None and value > 0 and math.isfinite(value)
