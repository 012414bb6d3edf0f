"""The length from which on a variant is better than dense attention, in time and in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness import units
from harness.report.attention.sides import pairs
from harness.report.attention.study import ByLength, Kind, Study, Variant, named
from harness.report.summary import together
from harness.report.table import Cell, Table
from harness.search.crossing import Point, crossings
from harness.search.pairs import LATENCY, MEMORY, Pair, curves
from harness.types import Status

_WORDS = {LATENCY: "Faster", MEMORY: "Less memory"}


def table(studies: Sequence[Study]) -> Table:
    """A line a mode and variant, a column a figure and baseline.

    Args:
        studies: the modes of one setting.
    """
    bases = [
        (figure, kind)
        for figure in _WORDS
        for kind in (Kind.PLAIN, Kind.FUSED)
        if any(_base(study, kind) for study in studies)
    ]
    names = {kind: _name(studies, kind) for _, kind in bases}
    header = [
        "Variant",
        "Mode",
        *(f"{_WORDS[figure]} than {names[kind]}" for figure, kind in bases),
    ]
    return Table.of(
        [*header, "Fails at"],
        (
            [
                Cell(f"{variant.name}{_complete(variant)}"),
                study.mode,
                *(_cell(variant, _base(study, kind), figure) for figure, kind in bases),
                _failures(variant.rows),
            ]
            for variant, study in _lines(studies)
        ),
    )


def _lines(studies: Sequence[Study]) -> Iterator[tuple[Variant, Study]]:
    """Each variant, its modes one below the other."""
    names = dict.fromkeys(variant.name for study in studies for variant in study.variants)
    for name in names:
        for study in studies:
            for variant in study.variants:
                if variant.name == name and variant.rows != study.base:
                    yield variant, study


def _complete(variant: Variant) -> str:
    """Behind the name of a sparse variant that is dense at some of its lengths."""
    lengths = variant.complete_at
    return f" (leaves nothing out at {together(map(str, lengths))})" if lengths else ""


def _base(study: Study, kind: Kind) -> ByLength:
    return study.plain if kind is Kind.PLAIN else study.fused


def _name(studies: Sequence[Study], kind: Kind) -> str:
    found = [_base(study, kind) for study in studies]
    return together(dict.fromkeys(named(rows) for rows in found if rows))


def _cell(variant: Variant, base: ByLength, figure: str) -> Cell:
    if not base or variant.rows == base:
        return Cell(units.MISSING, tone="muted")
    return told(pairs(base, variant.rows), figure)


def told(found: Sequence[Pair], figure: str) -> Cell:
    """From which length on B of these pairs is lower than A, with the interval of that length.

    Args:
        found: by rising length, all at which both were tried.
        figure: `LATENCY` or ``MEMORY``.
    """
    points = [point for point in curves(found)[figure].points if point.ratio]
    if not points:
        alone = _alone(found, 0)
        return Cell(alone or "not compared", tone="good" if alone else "muted")
    changes = crossings(points)
    certain = [point for point in points if point.lower]
    alone = _alone(found, points[-1].value)
    if not certain:
        text = f"no difference up to {points[-1].value}"
        return Cell("; ".join(filter(None, [text, alone])), tone="muted")
    doubtful = _doubtful(points, certain[-1])
    times = f"; they cross {len(changes)} times" if len(changes) > 1 else ""
    if certain[-1].lower == "A":
        text = f"none up to {certain[-1].value}"
        if changes:
            last = changes[-1]
            where = f"below {last.value} only" if len(changes) == 1 else f"not from {last.value} on"
            text = f"{where} ({last.low}–{last.high})"
        return Cell("; ".join(filter(None, [text + times + doubtful, alone])), tone="muted")
    if changes:
        last = changes[-1]
        text = f"from {last.value} on ({last.low}–{last.high})"
        return Cell(text + times + doubtful, tone="good")
    first = certain[0].value
    text = f"from {first} on, or earlier"
    if found[0].value == first:  # else shorter ones showed no difference, or were not compared
        text = f"from the first length on ({first})"
    return Cell(text + doubtful, tone="good")


def _doubtful(points: Sequence[Point], last: Point) -> str:
    """Behind the last length at which there is a difference."""
    values = [point.value for point in points if point.value > last.value]
    if not values:
        return ""
    return f"; no difference {'at' if len(values) == 1 else 'from'} {values[0]}" + (
        " on" * (len(values) > 1)
    )


def _alone(found: Sequence[Pair], last: int) -> str:
    """From where on A has failed and B has not."""
    lengths = [
        pair.value
        for pair in found
        if pair.value > last and Status(pair.a.status).failed and pair.b.status == Status.OK
    ]
    return f"from {lengths[0]} on it alone runs" if lengths else ""


def failed_at(rows: ByLength) -> dict[str, list[int]]:
    """The lengths of what failed, by status."""
    found: dict[str, list[int]] = {}
    for length, row in rows.items():
        if row.failed:
            found.setdefault(row.status, []).append(length)
    return found


def _failures(rows: ByLength) -> Cell:
    told = (f"{together(map(str, where))} ({status})" for status, where in failed_at(rows).items())
    text = "; ".join(told)
    return Cell(text, tone="bad" if text else "")
