"""What a few fresh pairs of processes say of head over base.

The unit of evidence is one pair: the logarithm of the ratio of head's median block to base's, of
two processes that lived at the same time and took turns. Whatever disturbs the machine for longer
than a turn disturbs both; what is left differs from pair to pair (memory layout, library
initialization), and t over the pairs is what holds its nominal error there, where resampling a
handful of pairs does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.stats import Interval

CONFIDENCE = 0.95
"""Of the interval that is shown."""
POWER = 0.9
"""How likely a change is found that is called visible."""
SPREAD = 0.9
"""How likely the true spread is within what is reckoned with there."""


@dataclass(frozen=True)
class Mean:
    """The mean log ratio of some pairs, with what is known of its error.

    Attributes:
        value: the mean.
        error: its standard error; infinite where no spread is known.
        freedom: degrees of freedom of that error.
    """

    value: float
    error: float
    freedom: int

    @property
    def interval(self) -> Interval | None:
        """The ratio with its 95 % t interval; None where no spread is known."""
        if not self.freedom:
            return None
        from scipy.special import stdtrit

        half = float(stdtrit(self.freedom, (1 + CONFIDENCE) / 2)) * self.error
        limits = (self.value, self.value - half, self.value + half)
        return Interval(*map(math.exp, limits))

    @property
    def p_changed(self) -> float:
        """Two-sided p value of no difference: Student's t."""
        return min(1.0, 2 * self._tail(abs(self.value)))

    def p_beyond(self, bound: float) -> float:
        """P value of a difference of `bound` or more, in either direction.

        Source: two one-sided tests, Schuirmann (1987), doi:10.1007/BF01068419.
        """
        return self._tail(bound - abs(self.value))

    def _tail(self, distance: float) -> float:
        """P(T > distance / error); pairs that agree to the last bit leave no doubt."""
        from scipy.special import stdtr

        if not self.freedom:
            return 1.0
        if self.error == 0:
            return 0.5 if distance == 0 else float(distance < 0)
        return float(stdtr(self.freedom, -distance / self.error))


def mean(logs: Sequence[float], before: Sequence[float] = ()) -> Mean:
    """The mean of the pairs' logarithms.

    Args:
        logs: natural logarithm of head over base, one a pair.
        before: earlier pairs of the same case, which tell of the spread, about a mean of their own,
            and nothing of the mean. A layer that has two speeds may show the same one in a handful
            of pairs; it hardly does so in both groups.
    """
    freedom = max(0, len(logs) - 1) + max(0, len(before) - 1)
    centre = float(np.mean(logs)) if logs else 0.0
    if not logs or not freedom:
        return Mean(centre, math.inf, 0)
    squares = sum(float(np.var(group)) * len(group) for group in (logs, before) if group)
    return Mean(centre, math.sqrt(squares / freedom / len(logs)), freedom)


def visible(logs: Sequence[float], pairs: int, bound: float, rate: float) -> float | None:
    """The smallest relative change that so many pairs would find with 90 % probability.

    The spread is taken at the upper end of what it may be, as the few pairs from which a case is
    called the same are those that happened to agree.

    Args:
        logs: pairs that tell the spread.
        pairs: that a decision would rest on.
        bound: logarithm beyond which a change counts.
        rate: two-sided error rate of the test.

    Returns:
        0.05 for 5 %; None if so few pairs find nothing, or nothing but a factor of 100.
    """
    freedom = len(logs) - 1
    if pairs < 2 or freedom < 1:
        return None
    from scipy.special import chdtri, stdtrit

    largest = float(np.var(logs)) * len(logs) / float(chdtri(freedom, SPREAD))
    error = math.sqrt(largest / pairs)
    needed = max(bound, float(stdtrit(pairs - 1, 1 - rate / 2)) * error)
    found = needed + float(stdtrit(pairs - 1, POWER)) * error
    return math.expm1(found) if found < _LARGEST_LOG else None


_LARGEST_LOG = math.log(100)
