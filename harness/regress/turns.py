"""Two prepared workers take turns, so that what disturbs one disturbs the other."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.runner import received
from harness.runner.measure import Ready
from harness.runner.process import CaseFailedError
from harness.runner.sampling import Ask, Effort

BLOCK_S = 2e-3
"""A turn lasts about this: long beside waking the other worker, and shorter than the time after
which a kernel lets another process have the core."""
FEWEST, MOST = 5, 60
"""Rounds of four turns."""
ENOUGH = 0.004
"""Standard error of a pair's log ratio at which further rounds say nothing beside what differs
from pair to pair anyway, which is 0.01 to 0.02."""
LONGEST_S = 0.5
"""All turns of a case in one pair; a slow layer takes `FEWEST` rounds all the same."""
SLOW_S = 5.0
"""After which a very slow one does not even take those."""
SLOWER = 10
"""Times `BLOCK_S` that the slower side's turn may last where the two differ by far."""
LEAST_SHARE = 0.02
"""Of a block; waits of threads that overlap add up to more than there is."""
LONG_BLOCK_S = 0.05
"""Beside which a cold cache is nothing, so that no round is thrown away."""


class TurnFailedError(Exception):
    """A worker failed at its turn.

    Attributes:
        side: 0 for the first of the two, 1 for the second.
        cause: how.
    """

    def __init__(self, side: int, cause: CaseFailedError) -> None:
        super().__init__(cause.reason)
        self.side = side
        self.cause = cause


@dataclass(frozen=True)
class Turn:
    """One block.

    Attributes:
        wall_s: seconds a call, by the clock.
        waited_s: of these, those in which another process had the core.
    """

    wall_s: float
    waited_s: float

    @property
    def own_s(self) -> float:
        """Seconds a call that are the layer's."""
        own = self.wall_s - self.waited_s
        return own if own > LEAST_SHARE * self.wall_s else self.wall_s


class Turns(NamedTuple):
    """The blocks of both."""

    first: tuple[Turn, ...]
    second: tuple[Turn, ...]


def take(first: tuple[Ask, Ready], second: tuple[Ask, Ready], effort: Effort) -> Turns:
    """Blocks of both in the order A, B, B, A, so that a steady drift weighs on both alike.

    Args:
        first: how to ask the worker that begins, and what is known of the case there.
        second: likewise.
        effort: for its time limit.

    Raises:
        TurnFailedError: a worker failed.
    """
    calls = _calls(first[1], second[1])
    asks = (first[0], second[0])
    taken: tuple[list[Turn], list[Turn]] = ([], [])

    def round_() -> None:
        for side in (0, 1, 1, 0):
            try:
                turn = received.turn(asks[side](effort.timeout_s, do="turn", calls=calls))
            except CaseFailedError as failure:
                raise TurnFailedError(side, failure) from failure
            taken[side].append(Turn(*turn))

    if max(first[1].block_s, second[1].block_s) < LONG_BLOCK_S:
        round_()
        for turns in taken:
            turns.clear()
    start = time.monotonic()
    for count in range(1, MOST + 1):
        round_()
        so_far_s = time.monotonic() - start
        settled = count >= FEWEST and (so_far_s > LONGEST_S or _error(*taken) <= ENOUGH)
        if settled or so_far_s > SLOW_S:
            break
    return Turns(tuple(taken[0]), tuple(taken[1]))


def _calls(*sides: Ready) -> int:
    """Of a turn: the faster side's lasts `BLOCK_S`, unless the other's would last too long."""
    slow_s, fast_s = (of(side.block_s / side.calls for side in sides) for of in (max, min))
    return max(1, math.ceil(min(BLOCK_S / fast_s, SLOWER * BLOCK_S / slow_s)))


def _error(*sides: Sequence[Turn]) -> float:
    """Standard error of the log ratio, from how rounds differ; of a median, by normal theory."""
    seconds = [[turn.own_s for turn in turns] for turns in sides]
    first, second = (np.reshape(own, (-1, 2)).mean(axis=1) for own in seconds)
    logs = np.log(second / first)
    spread = 1.4826 * float(np.median(np.abs(logs - np.median(logs))))
    return math.sqrt(math.pi / 2) * spread / math.sqrt(len(logs))
