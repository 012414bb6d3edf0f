"""One figure of one case, as tools take it that keep a figure a commit."""

from __future__ import annotations

from dataclasses import dataclass

from harness.gate.outcome import METRICS
from harness.stats import Interval

_NANOSECONDS = 1e9


@dataclass(frozen=True)
class Reading:
    """A figure of which less is better.

    Who makes them leaves out what failed: a case that crashed has no figure, one that computes
    something else has a meaningless one, and these tools would draw a null as the best of all.

    Attributes:
        case: its id.
        metric: key of `harness.gate.outcome.METRICS`.
        value: times in ns, all else in the metric's own unit.
        interval: the value with its 95 % limits; None where there are none, or it is exact.
        notes: what else there is to say, a line each.
    """

    case: str
    metric: str
    value: float
    interval: Interval | None
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        case: str,
        metric: str,
        figure: float,
        limits: tuple[float, float] | None,
        notes: tuple[str, ...],
    ) -> Reading:
        """From a figure and its limits in SI units."""
        scale = _NANOSECONDS if METRICS[metric].unit == "s" else 1
        value = figure * scale
        interval = None
        if limits and value > 0:
            low, high = limits
            interval = Interval(value, low * scale, high * scale)
        return cls(case, metric, value, interval, notes)

    @property
    def name(self) -> str:
        """Of the metric, in prose."""
        return METRICS[self.metric].name

    @property
    def unit(self) -> str:
        """Of the value."""
        unit = METRICS[self.metric].unit
        return "ns" if unit == "s" else unit
