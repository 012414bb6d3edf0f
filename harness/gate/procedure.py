"""The whole decision: which cases changed, from as few fresh pairs as will do.

Two stages. All cases get `FIRST` pairs; what is then shown to differ by less than the threshold
is done. The others are candidates, and their change is judged by fresh pairs only, because a
candidate's first pairs were chosen for looking bad. Fresh pairs are looked at after `LOOKS` many.
A change is one whose t test is beyond the error rate, divided by the number of candidates and of
looks (Bonferroni, so that the chance of any false change in a whole run is at most `ERROR_RATE`),
and whose estimate is beyond the threshold. Slower and faster are treated alike.

Where the budget ends before a candidate's first look, its first pairs are judged after all, once,
by what is left of the error rate divided by the number of all cases, so that none was chosen.

Nothing here measures: whoever asks brings a function that does, be it a duel of real processes or a
simulation of noise, so what is proven of the one holds for the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from harness.gate.evidence import mean, visible
from harness.gate.outcome import Verdict
from harness.stats import Interval

FIRST = 5
"""Pairs for every case."""
LOOKS = (6, 10, 16, 24)
"""Fresh pairs of a candidate at which it is judged."""
ERROR_RATE = 0.02
"""Chance of any false regression or improvement in a run in which nothing has changed."""
SAME_RATE = 0.05
"""Chance that a case that differs by the threshold is called the same."""

_CHANGED = (Verdict.REGRESSION, Verdict.IMPROVEMENT)

Logs: TypeAlias = Mapping[str, float]
Round: TypeAlias = Callable[[Sequence[str]], Logs | None]
"""One fresh pair for each of these cases: the log ratio of those that came through, or None if the
budget allows no further round."""


@dataclass(frozen=True)
class Decision:
    """What the procedure says of one case's latency.

    Attributes:
        verdict: regression, improvement, same or inconclusive.
        pairs: that it rests on.
        ratio: of these, with its 95 % interval; None from fewer than two.
        visible: see `harness.gate.evidence.visible`.
    """

    verdict: Verdict
    pairs: int
    ratio: Interval | None
    visible: float | None


def decide(cases: Sequence[str], another: Round, threshold: float) -> dict[str, Decision]:
    """Asks for rounds until every case is decided, or rounds are at their end.

    Args:
        cases: what to decide on.
        another: makes a round.
        threshold: relative change that counts, 0.05 for 5 %.
    """
    bound = math.log1p(threshold)
    early: dict[str, list[float]] = {case: [] for case in cases}
    more = _gather(early, FIRST, another)
    same = {case for case, logs in early.items() if _same(logs, bound)}
    candidates = [case for case in cases if case not in same]
    rate = ERROR_RATE / (len(LOOKS) * max(1, len(candidates)))
    fresh: dict[str, list[float]] = {case: [] for case in candidates}
    found: dict[str, Verdict] = dict.fromkeys(same, Verdict.SAME)
    looks = 0
    for look in LOOKS:
        open_ = {case: logs for case, logs in fresh.items() if case not in found}
        if not (more and open_):
            break
        more = _gather(open_, look, another)
        ready = {case: logs for case, logs in open_.items() if more or len(logs) >= LOOKS[0]}
        looks += bool(ready)
        for case, logs in ready.items():
            verdict = _judged(early[case], logs, bound, rate)
            if verdict is not Verdict.INCONCLUSIVE:
                found[case] = verdict
    # What the looks have not used of the error rate is left for those that no look has reached.
    left = ERROR_RATE * (1 - looks / len(LOOKS)) / max(1, len(cases))
    return {
        case: _by_first(early[case], fresh[case], bound, left)
        if case not in found and len(fresh[case]) < LOOKS[0]
        else _decision(
            found.get(case, Verdict.INCONCLUSIVE), early[case], fresh.get(case, ()), bound, rate
        )
        for case in cases
    }


def _by_first(
    early: Sequence[float], fresh: Sequence[float], bound: float, rate: float
) -> Decision:
    """What the first pairs say of a candidate for which there was no time.

    They may be judged themselves, once and at the error rate divided by the number of all cases: it
    is judging the chosen ones alone by the pairs that chose them that would cry wolf.
    """
    verdict = _judged((), early, bound, rate)
    if verdict in _CHANGED:
        return _decision(verdict, (), early, bound, rate)
    verdict = Verdict.SAME if _same([*early, *fresh], bound) else Verdict.INCONCLUSIVE
    return _decision(verdict, early, fresh, bound, rate)


def _gather(logs: Mapping[str, list[float]], pairs: int, another: Round) -> bool:
    """Adds rounds until there have been so many; False if the budget ended before."""
    made = max(map(len, logs.values()), default=pairs)
    while made < pairs:
        found = another(list(logs))
        if found is None:
            return False
        for case, value in found.items():
            logs[case].append(value)
        made += 1
    return True


def _same(logs: Sequence[float], bound: float) -> bool:
    """Looked at after the first stage and at each look, which share the error rate."""
    return mean(logs).p_beyond(bound) <= SAME_RATE / (1 + len(LOOKS))


def _judged(early: Sequence[float], fresh: Sequence[float], bound: float, rate: float) -> Verdict:
    change = mean(fresh, early)
    if change.p_changed <= rate and abs(change.value) > bound:
        return Verdict.REGRESSION if change.value > 0 else Verdict.IMPROVEMENT
    # The first pairs of a candidate are those that looked least the same: they make this harder.
    return Verdict.SAME if _same([*early, *fresh], bound) else Verdict.INCONCLUSIVE


def _decision(
    verdict: Verdict, early: Sequence[float], fresh: Sequence[float], bound: float, rate: float
) -> Decision:
    changed = verdict in _CHANGED
    every = [*early, *fresh]
    basis = mean(fresh, early) if changed else mean(every)
    # What is decided would, had it changed, have gone on to the last look; what is not has not.
    pairs = (len(fresh) or len(early)) if verdict is Verdict.INCONCLUSIVE else LOOKS[-1]
    return Decision(
        verdict,
        len(fresh) if changed else len(every),
        basis.interval,
        visible(every, pairs, bound, rate),
    )
