"""Of which cases the samples are drawn: of those that a reader would ask about."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from harness.report import caps
from harness.report.rows import Row

WHY = "failed a check of themselves, did not settle, take longest or vary most"


def chosen(rows: Sequence[Row]) -> list[int]:
    """Places of up to `caps.SAMPLES` rows: in turn those at the top of each order in `WHY`.

    Args:
        rows: with samples.
    """
    measured = [place for place, row in enumerate(rows) if row.latency is not None]
    failed = [place for place in measured if rows[place].audit]
    unsettled = [p for p in measured if not (rows[p].converged and rows[p].warmed)]
    orders = (
        sorted(failed, key=lambda place: -len(rows[place].audit)),
        sorted(unsettled, key=lambda place: -_width(rows[place])),
        sorted(measured, key=lambda place: -_seconds(rows[place])),
        sorted(measured, key=lambda place: -_width(rows[place])),
    )
    in_turn = (place for turn in zip_longest(*orders) for place in turn if place is not None)
    return list(dict.fromkeys(in_turn))[: caps.SAMPLES]


def _seconds(row: Row) -> float:
    return row.latency.value if row.latency else 0.0


def _width(row: Row) -> float:
    return row.latency.relative_half_width if row.latency else 0.0
