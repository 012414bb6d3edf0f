"""What fits into memory: a table, and the sentences that say how it is to be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import units
from harness.report.table import Cell, Table
from harness.search.axis import pattern
from harness.search.limit import Limit, Try, conclude
from harness.types import Case, Status

_SHOWN = ("framework", "mode", "execution")
_HELD = ("device", "dtype", "threads", "batch", "seq", "params")


@dataclass(frozen=True)
class Search:
    """One search, as far as it got.

    Attributes:
        case: at the first value of the axis.
        tries: in the order made.
        ruled_out: status and reason, if it was not begun.
        ended: False if it was cut short.
    """

    case: Case
    tries: tuple[Try, ...] = ()
    ruled_out: tuple[Status, str] | None = None
    ended: bool = True

    @property
    def found(self) -> Limit:
        return conclude(self.tries)


def table(searches: Sequence[Search], axis: str) -> Table:
    """A row a search: the largest value that fits, its peak memory, what stopped the next one.

    Of what is held fixed a column is shown only where the searches differ in it.
    """
    cases = [search.case for search in searches]
    varied = [name for name in _HELD if len({getattr(case, name) for case in cases}) > 1]
    names = (*_SHOWN, *varied)
    header = (*names, f"largest {axis}", "peak memory", f"next {axis}", "what stopped it")
    return Table.of(header, (_row(search, names) for search in searches))


def held(case: Case, axis: str) -> str:
    """What is searched in: the layer, and its shape with the axis left open."""
    shape = pattern(case, axis).rpartition("/")[2]
    return f"{case.layer} on {case.device}, {case.dtype}, {shape}"


def _row(search: Search, names: Sequence[str]) -> tuple[Cell, ...]:
    name = [Cell(_text(getattr(search.case, name))) for name in names]
    if search.ruled_out:
        status, reason = search.ruled_out
        missing = Cell(units.MISSING, tone="muted")
        return *name, missing, missing, missing, Cell(f"{status}: {reason}", tone="muted")
    found = search.found
    best, after = found.best, found.next
    memory = best.outcome if best else None
    return (
        *name,
        Cell(_largest(found), best.value if best else 0.0, "good" if best else "bad"),
        Cell(
            units.peak_memory(memory.peak_memory_bytes, memory.memory_method)
            if memory
            else units.MISSING
        ),
        Cell(str(after.value) if after else units.MISSING, after.value if after else None),
        Cell(_why(search)),
    )


def _text(value: object) -> str:
    if isinstance(value, tuple):  # parameters
        return ", ".join(f"{name}={part}" for name, part in value)
    return str(value)


def _largest(found: Limit) -> str:
    if found.best is None:
        return "none" if found.bounded else units.MISSING
    return str(found.best.value) if found.bounded else f"≥ {found.best.value}"


def _why(search: Search) -> str:
    found = search.found
    doubts = []
    if search.ended and found.best and found.bounded and not found.verified:
        doubts.append("not verified")
    if found.unsteady:
        values = ", ".join(map(str, found.unsteady))
        doubts.append(f"fitted in one try and not in another: {values}")
    if not search.ended:
        doubts.append("cut short")
    if found.next is None:
        text = "nothing: --up-to ends the search here" if search.ended else ""
    else:
        text = _told(found.next)
    return "; ".join(filter(None, (text, *doubts)))


def _told(after: Try) -> str:
    outcome = after.outcome
    return f"{outcome.status}: {outcome.reason}" + ("" if outcome.ran else " (not run)")


def sentences(limit_bytes: Mapping[str, int | None]) -> list[str]:
    """What "fits" means here."""
    limits = [
        f"{device}: {'the memory of the GPU' if size is None else units.size(size)}"
        for device, size in sorted(limit_bytes.items())
    ]
    return [
        f"Fits: can be built and called twice by a process with that much memory, the framework "
        f"itself included ({'; '.join(limits)}).",
        "Results were not checked against the reference, which takes more memory than the layer.",
    ]


def as_json(
    searches: Iterable[Search], axis: str, limit_bytes: Mapping[str, int | None]
) -> dict[str, Any]:
    """The same in plain types; sizes in bytes."""
    return {
        "axis": axis,
        "memory_limit_bytes": dict(limit_bytes),
        "searches": [_search_json(search, axis) for search in searches],
    }


def _search_json(search: Search, axis: str) -> dict[str, Any]:
    found = search.found
    status, reason = search.ruled_out or (None, "")
    return {
        "case": pattern(search.case, axis),
        "framework": search.case.framework,
        "mode": search.case.mode,
        "largest": found.best.value if found.best else None,
        "bounded": found.bounded,
        "verified": found.verified,
        "ended": search.ended,
        "unsteady": list(found.unsteady),
        "peak_memory_bytes": found.best.outcome.peak_memory_bytes if found.best else None,
        "next": _try_json(found.next) if found.next else None,
        "ruled_out": {"status": str(status), "reason": reason} if status else None,
        "tries": [_try_json(tried) for tried in search.tries],
    }


def _try_json(tried: Try) -> dict[str, Any]:
    outcome = tried.outcome
    return {
        "value": tried.value,
        "status": str(outcome.status),
        "reason": outcome.reason,
        "ran": outcome.ran,
        "peak_memory_bytes": outcome.peak_memory_bytes,
        "memory_method": outcome.memory_method,
    }
