"""Of which cases the samples are drawn in a figure: of those that a reader would ask about."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from harness.report import caps
from harness.report.cases.samples import Passes, key
from harness.report.rows import Row

_WHY = "failed a check of themselves, did not settle, take longest or vary most"


def known(rows: Sequence[Row], passes: Passes) -> list[Row]:
    """The measured rows whose samples are known."""
    return [row for row in rows if row.latency is not None and key(row) in passes]


def chosen(rows: Sequence[Row]) -> list[Row]:
    """Up to `caps.SAMPLES` rows: in turn those at the top of each order in `_WHY`.

    Args:
        rows: that `known` gave.
    """
    orders = (
        sorted((row for row in rows if row.audit), key=lambda row: -len(row.audit)),
        sorted((row for row in rows if not (row.converged and row.warmed)), key=_narrowness),
        sorted(rows, key=lambda row: -_seconds(row)),
        sorted(rows, key=_narrowness),
    )
    in_turn = [row for turn in zip_longest(*orders) for row in turn if row is not None]
    return list({key(row): row for row in in_turn}.values())[: caps.SAMPLES]


def told(rows: Sequence[Row]) -> str:
    """How many of them are chosen, and why these, in a sentence.

    Args:
        rows: that `known` gave.
    """
    if not rows:
        return "Of no case the single samples were read."
    drawn = len(chosen(rows))
    if drawn == len(rows):
        return "Every measured case has its samples in a figure."
    number = f"{drawn} of {len(rows):,} measured cases"
    return f"{number} have their samples in a figure: those that {_WHY}."


def _seconds(row: Row) -> float:
    return row.latency.value if row.latency else 0.0


def _narrowness(row: Row) -> float:
    return -row.latency.relative_half_width if row.latency else 0.0
