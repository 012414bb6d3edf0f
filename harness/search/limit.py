"""The largest value of an axis that fits into memory: doubling, bisection, and a second look.

Fitting is taken to be monotone: what fits at a value fits at every smaller one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.types import Status

EXACT_UP_TO = 4096
"""Up to here the limit is found to the unit."""
RESOLUTION = 0.01
"""Beyond, relative: the next larger value that was tried is no further away than this."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try.

    Attributes:
        status: ok if it fits, oom if memory ran out; anything else says nothing about memory.
        reason: a sentence, if it is not ok.
        ran: False if it was clear without running it.
        peak_memory_bytes: of a call, if it is ok and could be read.
        memory_method: how that was read; see docs/columns.md.
    """

    status: Status
    reason: str = ""
    ran: bool = True
    peak_memory_bytes: int | None = None
    memory_method: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """One value, tried once."""

    value: int
    outcome: Outcome

    @property
    def fits(self) -> bool:
        return self.outcome.status is Status.OK


@dataclass(frozen=True, slots=True)
class Limit:
    """What the tries tell.

    Attributes:
        best: the last try of the largest value that fits, None if none is known to.
        next: the smallest larger value that did not fit, None if none was tried.
        verified: whether `best` ran twice, each time in a process of its own.
        unsteady: values that fitted once and not another time.
    """

    best: Try | None
    next: Try | None
    verified: bool
    unsteady: tuple[int, ...]

    @property
    def bounded(self) -> bool:
        """Whether memory, and nothing else, ends it: `best` is the limit to the resolution."""
        if self.next is None or self.next.outcome.status is not Status.OOM:
            return False
        return close(self.best.value if self.best else 0, self.next.value)


def close(fits: int, fails: int) -> bool:
    """Whether nothing is left to look for between a value that fits and one that does not."""
    return fails - fits <= 1 or (fits >= EXACT_UP_TO and fails - fits <= RESOLUTION * fits)


def search(ask: Callable[[int], Outcome], first: int, up_to: int) -> Iterator[Try]:
    """Tries values until the limit is known, and gives each try as it comes.

    Args:
        ask: tries a value, in a process of its own.
        first: where to begin.
        up_to: the largest value of interest.
    """
    tries: list[Try] = []
    while (value := next_value(tries, first, up_to)) is not None:
        tries.append(Try(value, ask(value)))
        yield tries[-1]


def next_value(tries: Sequence[Try], first: int, up_to: int) -> int | None:
    """What to try after these; None if there is nothing left to find out.

    What fails otherwise than for want of memory ends the search, as it says nothing of a limit.
    """
    if any(t.outcome.status not in (Status.OK, Status.OOM) for t in tries):
        return None
    found = conclude(tries)
    fits = found.best.value if found.best else 0
    if found.next is None and fits < up_to:
        return min(up_to, max(first, 2 * fits))
    if found.next is not None and not close(fits, found.next.value):
        return (fits + found.next.value) // 2
    return None if found.verified or not found.best else fits


def conclude(tries: Sequence[Try]) -> Limit:
    """The limit, as far as these tries tell; a value that failed once does not count as fitting."""
    failed = min((t for t in tries if not t.fits), key=lambda t: t.value, default=None)
    fitting = [t for t in tries if t.fits]
    below = [t for t in fitting if failed is None or t.value < failed.value]
    best = max(below, key=lambda t: t.value, default=None)
    ran = [t for t in below if best and t.value == best.value]
    unsteady = {t.value for t in fitting if failed is not None and t.value >= failed.value}
    return Limit(ran[-1] if ran else None, failed, len(ran) > 1, tuple(sorted(unsteady)))
