"""What the measured ceilings say of a row: the least time its work needs, and what binds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.types import Case

NEAR_A_CALL = 4.0
"""Up to so many times the smallest call there is, a layer is overhead and little else."""
MOSTLY = 0.5
"""More than this share of a row's time makes what it goes to the row's bound."""
BARELY = 0.1
"""What reaches less than this share of a roof is not held down by it."""

OVERHEAD, MEMORY, COMPUTE, UNKNOWN = "overhead", "memory", "compute", ""


@dataclass(frozen=True, slots=True)
class Roof:
    """The least times that the machine's measured ceilings allow for one case, in seconds.

    Attributes:
        compute_s: for the declared operations.
        traffic_s: for the compulsory traffic, at the case's own working set.
        call_s: of the smallest call in the case's own framework; 0 if not known.
    """

    compute_s: float
    traffic_s: float
    call_s: float

    @property
    def least_s(self) -> float:
        return max(self.compute_s, self.traffic_s)

    @property
    def by(self) -> str:
        """Which of the two is the lower roof."""
        return COMPUTE if self.compute_s >= self.traffic_s else MEMORY


def roof(
    case: Case, flops: float | None, traffic: float | None, ceilings: Sequence[Mapping[str, Any]]
) -> Roof | None:
    """The roof over a case; None where the traffic or the ceilings of its dtype are not known.

    A rate is the best of all frameworks, as it is the machine's; the overhead of a call is each
    framework's own.
    """
    here = [
        c
        for c in ceilings
        if (c["device"], c["threads"], c["dtype"]) == (case.device, case.threads, case.dtype)
    ]
    if not here or not traffic:
        return None
    return Roof(
        compute_s=(flops or 0) / max(c["flop_per_s"] for c in here),
        traffic_s=traffic / max(_bandwidth(c["bandwidth"], traffic) for c in here),
        call_s=min(
            (c["call_overhead_s"] for c in here if c["framework"] == case.framework), default=0.0
        ),
    )


def _bandwidth(curve: Sequence[Sequence[float]], working_set: float) -> float:
    """The best rate seen at the next smaller working set, or at a larger one.

    Smaller sets fit into faster caches, so what lies between two that were measured is below the
    smaller one's rate, and may be above the larger one's.
    """
    smaller = [size for size, _rate in curve if size <= working_set]
    least = max(smaller, default=curve[0][0])
    return float(max(rate for size, rate in curve if size >= least))


def bound(latency_s: float, roof: Roof | None, fixed_share: float) -> str:
    """What a row's time mostly goes to; see docs/method.md.

    Args:
        latency_s: of the row.
        roof: over it.
        fixed_share: of its time, what does not grow with work; see `harness.store.scaling`.
    """
    if roof is None:
        return UNKNOWN
    reached = roof.least_s / latency_s
    if reached < MOSTLY and (latency_s <= NEAR_A_CALL * roof.call_s or fixed_share > MOSTLY):
        return OVERHEAD
    return roof.by if reached >= BARELY else UNKNOWN


def expected_ratio(bound: str, base: Roof, other: Roof) -> float | None:
    """How many times as long a row should take under another machine's roof.

    That is the ratio of what binds it: of the least times for its operations, of those for its
    traffic, or of the smallest calls.

    Args:
        bound: what the row goes to under the base's roof; see `bound`.
        base: over the row.
        other: over the same case on the other machine.

    Returns:
        Other over base; None where nothing is known to bind the row, or no ceiling tells.
    """
    times = {
        COMPUTE: (base.compute_s, other.compute_s),
        MEMORY: (base.traffic_s, other.traffic_s),
        OVERHEAD: (base.call_s, other.call_s),
    }
    before, after = times.get(bound, (0.0, 0.0))
    return after / before if before > 0 and after > 0 else None
