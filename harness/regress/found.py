"""What a duel has found out about one case, and when that is enough to say that it fails."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from harness.regress.ground import SIDES
from harness.types import Measurement, Status

TRIES = 2
"""A case that fails is tried again in a fresh process: a crash that does not repeat is told, and is
no verdict."""
IN_A_ROW = 3
"""Failures of a case that has come through before, after which it is taken to fail for good."""
SAME_REFERENCE = 1e-6
"""Relative; sums in another order differ less in float64."""


@dataclass(frozen=True)
class Failure:
    """How a side failed at a case."""

    status: Status
    reason: str

    @property
    def broken(self) -> bool:
        """Whether something is wrong; not so of what a framework or device does not have."""
        return self.status.failed


@dataclass
class Found:
    """What is known of one case so far; grows while the duel lasts.

    Attributes:
        tries: of each side, what a pair each came to: how it failed, or None if it came through.
        seconds: medians of each side, a pair each.
        first_call_s: build or compile, and the first call, of each side, a cold pair each.
        facts: of each side on which it came through the check, what it tells of itself.
        reference: of each side, a sketch of what its reference computes.
    """

    tries: dict[str, list[Failure | None]] = field(default_factory=lambda: {s: [] for s in SIDES})
    seconds: dict[str, list[float]] = field(default_factory=lambda: {s: [] for s in SIDES})
    first_call_s: dict[str, list[float]] = field(default_factory=lambda: {s: [] for s in SIDES})
    facts: dict[str, Measurement] = field(default_factory=dict)
    reference: dict[str, list[float]] = field(default_factory=dict)

    def failures(self, side: str) -> list[Failure]:
        """How it failed on a side, in order."""
        return [one for one in self.tries[side] if one]

    def failed(self, side: str) -> Failure | None:
        """How the side failed for good, if it did.

        That is: so that trying again cannot help; in its first `TRIES` tries, or later on
        `IN_A_ROW` times; or as often in all, while the other side never did.
        """
        failures = self.failures(side)
        if not failures:
            return None
        came_through = [one is None for one in self.tries[side]]
        in_a_row = [*came_through[::-1], True].index(True)
        enough = IN_A_ROW if any(came_through) else TRIES
        other_never = not any(self.failures(other) for other in SIDES if other != side)
        if (
            not all(one.broken for one in failures)
            or in_a_row >= enough
            or (len(failures) >= IN_A_ROW and other_never)
        ):
            return failures[-1]
        return None

    @property
    def flaky(self) -> bool:
        """Whether it fails now and then on both sides, so that neither is worse for it."""
        both = all(map(self.failures, SIDES))
        return both and any(one is None for side in SIDES for one in self.tries[side])

    @property
    def over(self) -> bool:
        """Whether no further pair could tell anything."""
        return self.reference_changed or any(map(self.failed, SIDES))

    @property
    def reference_changed(self) -> bool:
        """Whether the two sides' references compute different things from the seeded inputs."""
        if len(self.reference) < len(SIDES):
            return False
        one, other = (self.reference[side] for side in SIDES)
        return len(one) != len(other) or not np.allclose(
            one, other, rtol=SAME_REFERENCE, atol=SAME_REFERENCE
        )
