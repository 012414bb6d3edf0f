"""What marks and intervals mean: sentences that stand beside the figures in every layout."""

from __future__ import annotations

from collections.abc import Iterable

from harness.report.rows import Row

INTERVAL = "A latency's 95 % interval covers what fresh processes of one run differ by."

RATIO = (
    "A ratio's 95 % interval joins those of its two medians: what either side left unsettled "
    "widens it as far as their passes differ by it. Of several cases it is the geometric mean of "
    "theirs. One that includes 1 shows no difference; it does not prove that there is none."
)

FAILURES = (
    "A mark at the top, with its status beside it, is a case that failed: a cross ran out of "
    "memory, an hourglass out of time, a star crashed; other shapes are other failures."
)

_NOT_CONVERGED, _NOT_WARM = "†", "‡"
_MEANINGS = {
    _NOT_CONVERGED: "not converged: in some pass the sampling time ran out before that process's "
    "median was known as closely as asked for",
    _NOT_WARM: "not warm: in some pass calls were still getting faster or slower when warm-up "
    "had to end",
}


def marks(row: Row) -> str:
    """The marks that belong to a row's latency; none where it has none, or it is settled."""
    if row.latency is None:
        return ""
    return ("" if row.converged else _NOT_CONVERGED) + ("" if row.warmed else _NOT_WARM)


def settled(row: Row) -> str:
    """``yes``, or what `marks` stand for, in words."""
    found = [_MEANINGS[mark].partition(":")[0] for mark in marks(row)]
    return ", ".join(found) or ("yes" if row.latency else "")


def explained(rows: Iterable[Row]) -> list[str]:
    """What each mark on these rows means, a sentence each."""
    used = {mark for row in rows for mark in marks(row)}
    return [f"{mark} {meaning}." for mark, meaning in _MEANINGS.items() if mark in used]
