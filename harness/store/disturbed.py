"""What disturbed a row's samples, as a share and in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from harness import disturbance, units
from harness.disturbance import KINDS, Unit
from harness.types import Disturbance, Measurement


def share(attempts: Sequence[Measurement]) -> float | None:
    """Of all samples those that were taken under a disturbance; None if nobody looked.

    Args:
        attempts: the passes that came through; at least one.
    """
    watched = [attempt for attempt in attempts if attempt.disturbances is not None]
    number = sum(len(attempt.samples_s) for attempt in watched)
    found = sum(_number(attempt, attempt.disturbances or ()) for attempt in watched)
    return found / number if number else None


def remarks(attempts: Sequence[Measurement]) -> list[str]:
    """For each kind of disturbance how many samples it touched; then what became of them."""
    number = sum(len(attempt.samples_s) for attempt in attempts)
    said = [sentence for kind in KINDS if (sentence := _told(kind, attempts, number))]
    if not said:
        return []
    touched = sum(_number(attempt, attempt.disturbances or ()) for attempt in attempts)
    left_out = sum(disturbance.counted(attempt).count(False) for attempt in attempts)
    if left_out:
        said.append(f"{units.count(left_out, 'disturbed sample')} left out")
    if counting := touched - left_out:
        said.append(
            f"{units.count(counting, 'disturbed sample')} not left out, as too few others remain: "
            "measure again on a quieter machine"
        )
    return said


def _told(kind: str, attempts: Sequence[Measurement], number: int) -> str:
    """``31 of 120 samples were taken while other processes held its cores (12 % of the time)``."""
    each = [[one for one in a.disturbances or () if one.kind == kind] for a in attempts]
    touched = sum(_number(attempt, own) for attempt, own in zip(attempts, each, strict=True))
    if not touched:
        return ""
    were = "sample was" if touched == 1 else "samples were"
    amount = _amount(KINDS[kind].unit, [one for own in each for one in own])
    return f"{touched} of {number} {were} taken while {KINDS[kind].cause}{amount}"


def _number(attempt: Measurement, disturbances: Sequence[Disturbance]) -> int:
    return sum(disturbance.marked(disturbances, len(attempt.samples_s)))


def _amount(unit: Unit, found: Sequence[Disturbance]) -> str:
    total = sum(one.amount for one in found)
    samples = sum(one.stop - one.first for one in found)
    mean = sum(one.amount * (one.stop - one.first) for one in found) / samples
    match unit:
        case Unit.SHARE:
            return f" ({units.percent(mean)} of the time)"
        case Unit.BELOW:
            return f" (by {units.percent(mean)})"
        case Unit.SECONDS:
            return f" (for {units.seconds(total)})"
        case Unit.TIMES:
            return f" ({units.count(round(total), 'time')})"
    return ""
