"""At length n, use …: the fastest of each kind, and the one that takes least memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness import units
from harness.report.attention.sides import point
from harness.report.attention.study import DENSE_KINDS, Kind, Study, Variant
from harness.report.rows import Row
from harness.report.summary import together
from harness.report.table import Cell, Table, Tone
from harness.search.pairs import LATENCY, MEMORY, MEMORY_MARGIN_BYTES

_FASTEST: dict[str, tuple[Kind, ...]] = {
    "Fastest dense": DENSE_KINDS,
    "Fastest exact sparse": (Kind.SPARSE,),
    "Fastest approximate": (Kind.APPROXIMATE,),
}
_STAND_INS = tuple(kind for kinds in _FASTEST.values() for kind in kinds)
_NAMED = 1
"""Of those that are tied with the best; the others are counted."""
_TONES: dict[str, Tone] = {"B": "good", "A": "muted", "": ""}


def table(study: Study) -> Table:
    """A line a length: who is best at what, and by how much."""
    columns = (*((name, "Time") for name in _FASTEST), ("Error",), ("Least memory", "Peak"))
    return Table.of(
        ("At length", *(name for names in columns for name in names)),
        ([str(length), *_line(study, length)] for length in study.lengths),
    )


def _line(study: Study, length: int) -> Iterator[Cell]:
    for kinds in _FASTEST.values():
        names, best = _best(study, length, kinds, LATENCY)
        yield names
        yield _figure(study.base.get(length), best, LATENCY)
    error = best.approximation_error if best else None
    yield Cell(units.error(error), error)
    names, best = _best(study, length, _STAND_INS, MEMORY)
    yield names
    yield _figure(study.base.get(length), best, MEMORY)


def _best(study: Study, length: int, kinds: Sequence[Kind], figure: str) -> tuple[Cell, Row | None]:
    """Who is lowest in the figure, and who is tied with it; or why there is none."""
    tried = {
        _named(variant, length): variant.rows[length]
        for variant in study.variants
        if variant.kind in kinds and length in variant.rows
    }
    if figure == MEMORY and (small := [label for label in tried if _unresolved(tried[label])]):
        return Cell(f"{small[0]}{_with(small[1:])}"), tried[small[0]]
    values = {label: value for label, row in tried.items() if (value := _value(row, figure))}
    if not values:
        failed = together(dict.fromkeys(row.status for row in tried.values() if row.failed))
        return Cell(failed or units.MISSING, tone="bad" if failed else "muted"), None
    first = min(values, key=lambda label: values[label])
    best = tried[first]
    ties = [label for label in values if label != first and _tied(best, tried[label], figure)]
    return Cell(f"{first}{_with(ties)}"), best


def _named(variant: Variant, length: int) -> str:
    """The paragraphs of the section say what “full” means."""
    return f"{variant.label} (full)" if length in variant.complete_at else variant.label


def _unresolved(row: Row) -> bool:
    """Whether the peak is too small to be told from nothing, and so below any that can be."""
    return row.peak_memory.startswith("<")


def _tied(best: Row, other: Row, figure: str) -> bool:
    """Whether the two cannot be told apart."""
    return not point(best, other, figure).lower


def _value(row: Row, figure: str) -> float | None:
    if figure == MEMORY:
        return row.peak_memory_bytes
    return row.latency.value if row.latency else None


def _figure(base: Row | None, best: Row | None, figure: str) -> Cell:
    """The ratio to the base; the figure itself where the base has none, or is the best."""
    if best is None:
        return Cell(units.MISSING, tone="muted")
    if figure == MEMORY and _unresolved(best):
        return Cell(best.peak_memory)
    value = _value(best, figure)
    ratio = point(base, best, figure)
    # Small peaks are read too coarsely for a ratio, or for more than what it is below.
    if best is base or ratio.ratio is None or (figure == MEMORY and not ratio.lower):
        return Cell(units.size(value) if figure == MEMORY else units.seconds(value), value)
    found = ratio.ratio
    if figure == MEMORY and value is not None and value <= MEMORY_MARGIN_BYTES:
        return Cell(f"<{units.ratio(found.high)}", found.high, _TONES[ratio.lower])
    text = units.ratio_interval(found.value, found.low, found.high)
    return Cell(text, found.value, _TONES[ratio.lower])


def _with(names: Sequence[str]) -> str:
    """``, tied: a and 2 more``."""
    if not names:
        return ""
    rest = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return f", tied: {together([*names[:_NAMED], *rest])}"
