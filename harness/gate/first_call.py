"""Judges build, compile and first call, which a process does once."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.gate.evidence import mean, visible
from harness.gate.outcome import Finding, Verdict
from harness.gate.procedure import ERROR_RATE
from harness.stats import geometric_mean

THRESHOLD = 0.25
LEAST_S = 0.05
"""A first call varies far more than the next ones, and nobody waits for 50 ms."""


def finding(
    base_s: Sequence[float], head_s: Sequence[float], cases: int, threshold: float
) -> Finding | None:
    """Judges the pairs that latency took: none is made for its sake, so it may close the gate, but
    does not keep it undecided.

    Args:
        base_s: seconds, one a pair; nan where there are none.
        head_s: likewise.
        cases: that are judged beside this one, among which the error rate is shared.
        threshold: relative change that counts, if it is more than `THRESHOLD`.

    Returns:
        None without pairs.
    """
    # A clock that was set back in between may have read anything.
    pairs = [pair for pair in zip(base_s, head_s, strict=True) if all(s > 0 for s in pair)]
    if not pairs:
        return None
    logs = [math.log(after / before) for before, after in pairs]
    known = mean(logs)
    before, after = map(geometric_mean, zip(*pairs, strict=True))
    rate = ERROR_RATE / max(1, cases)
    bound = math.log1p(max(THRESHOLD, threshold))
    verdict = Verdict.INCONCLUSIVE
    if known.p_changed <= rate and abs(known.value) > bound and abs(after - before) > LEAST_S:
        verdict = Verdict.REGRESSION if known.value > 0 else Verdict.IMPROVEMENT
    elif known.p_beyond(bound) <= rate or abs(after - before) <= LEAST_S:
        verdict = Verdict.SAME
    seen = visible(logs, len(logs), bound, rate)
    sides = (mean(list(map(math.log, side))).interval for side in zip(*pairs, strict=True))
    return Finding("first_call", before, after, known.interval, seen, len(logs), verdict, *sides)
