"""A time limit for a worker that does not run out while the parent itself is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable

LOOK_S = 1.0
"""Who waits has to look at the time that is left at least this often."""


class Deadline:
    """What is left of a time limit.

    A parent that was stopped (Ctrl-Z, a paused container) finds a clock that went on. What went by
    beyond what it meant to wait was not the worker's to use: the answer may lie in the pipe.
    """

    def __init__(self, limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begins now."""
        self._left_s = limit_s
        self._clock = clock
        self._looked_s = clock()

    def left_s(self) -> float:
        """Seconds; 0 or less when it is over."""
        before_s, self._looked_s = self._looked_s, self._clock()
        gone_s = self._looked_s - before_s
        self._left_s -= gone_s if gone_s <= 2 * LOOK_S else LOOK_S
        return self._left_s
