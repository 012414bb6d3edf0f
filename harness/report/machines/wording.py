"""Sentences of a comparison of machines: how it comes out, and what it cannot tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness import compare, units
from harness.compare import Verdict
from harness.compare.frames import Row
from harness.compare.lines import FEWEST, FURTHER, Line, defying, devices_apart, usual
from harness.compare.machines import Result
from harness.compare.pairs import ratio_of
from harness.report import provenance
from harness.report.summary import together
from harness.stats import mean_ratio

if TYPE_CHECKING:
    import pandas as pd

RATIO = "A ratio is the time on the machine over that on the base: below 1 the machine is faster."
EXPECTED = (
    "Expected is the ratio of the measured ceilings of both machines for what binds a case on the "
    "base. A layer defies it if its ratio, with its whole interval, misses it by more than "
    f"{FURTHER:g} times what the middle layer does, on a logarithmic scale. What differs besides "
    "is a possible reason, and was not put to the test. Arrows lead from the base to the machine."
)
ONE_DEVICE = (
    "One device does not stand for its model: another one of the same model, or this one in "
    "another host or at another power limit, may differ by more than these intervals say."
)
NO_POWER = (
    "No power was measured, so nothing is told of items/s per watt: that would take a reading of a "
    "meter around each case, such as RAPL's counters of a CPU or NVML's of a GPU."
)
_MISSES = 0.05
"""The share of 95 % intervals that miss."""


def verdict(base: Result, other: Result, compared: pd.DataFrame) -> list[str]:
    """How one machine does against the base: the mean first, then wins, losses and failures.

    Args:
        base: what ratios are over.
        other: one of the others.
        compared: what `harness.compare.machines.against` returns.
    """
    own = compare.records(compared[compared["machine"] == other.name])
    common = [case for case in own if case["common"]]
    found = Counter(case["verdict"] for case in own)
    kinds = ", ".join(f"{found[kind]} {kind}" for kind in Verdict if found[kind])
    counts = f"Of {units.count(len(own), 'case')}: {kinds}."
    if not common:
        return [f"{other.name} has no mean: no case was measured on every machine.", counts]
    mean = mean_ratio(map(ratio_of, common))
    text = units.ratio_interval(mean.value, mean.low, mean.high)
    all_of_them = ", those that every machine measured" if _several(compared) else ""
    return [
        f"{other.name} takes {text} the time of {base.name}, as the geometric mean of "
        f"{units.count(len(common), 'common case')}{all_of_them}.",
        f"It is {_wins(common, Verdict.FASTER)}, and {_wins(common, Verdict.SLOWER)}.",
        counts,
        *_doubts(base, other, common),
    ]


def _several(compared: pd.DataFrame) -> bool:
    return len(compared["machine"].unique()) > 1


def _wins(cases: Sequence[Row], kind: Verdict) -> str:
    """``faster in 12, at most 3.10× (lstm/torch/…)``: the largest factor, and of which case."""
    found = [case for case in cases if case["verdict"] == kind]
    if not found:
        return f"{kind} in none"

    def factor(case: Row) -> float:
        return float(case["ratio"] if kind == Verdict.SLOWER else 1 / case["ratio"])

    most = max(found, key=factor)
    return f"{kind} in {len(found)}, at most {units.ratio(factor(most))} ({most['case_id']})"


def _doubts(base: Result, other: Result, common: Sequence[Row]) -> Iterator[str]:
    if moved := sum(map(bool, (case["path_change"] for case in common))):
        yield (
            f"The execution path changed in {units.count(moved, 'case')}: other kernels ran, so "
            "the ratio there tells of them and not of the same work done faster or slower."
        )
    if chance := round(len(common) * _MISSES):
        drift = (
            "; a drift of the machine between the two adds to that" if _in_time(base, other) else ""
        )
        yield (
            f"If there were no difference, about {chance} of {len(common)} intervals would still "
            f"exclude 1 by chance{drift}."
        )


def expectations(lines: Sequence[Line]) -> str:
    """Of how many lines something was expected, and how many of them defy it."""
    told = [line for line in lines if line.expectation]
    if not lines:
        return ""
    if not told:
        return (
            "Nothing could be expected of any layer: its bound on the base, or the ceilings of "
            "either machine, are not known."
        )
    number = len(defying(lines))
    asked = units.count(len(told), "layer, mode and framework", "layers, modes and frameworks")
    rest = len(lines) - len(told)
    unknown = f"; of {rest} more nothing could be expected" if rest else ""
    verb = "defies" if number == 1 else "defy"
    found = f"{number or 'None'} of {asked} {verb} what the ceilings let expect{unknown}."
    return f"{found} {_usual(lines)}"


def _usual(lines: Sequence[Line]) -> str:
    """By how much the ceilings miss the middle line, and what is beyond that."""
    machines = {line.value("machine") for line in lines}
    bands = usual(lines)
    apart = devices_apart(lines)
    each = []
    for one in bands:
        names = [one.machine] * (len(machines) > 1) + [one.device] * apart
        where = f" on {', '.join(names)}" if names else ""
        each.append(
            f"the middle one{where} misses it by {units.ratio(one.miss)}, so that more than "
            f"{units.ratio(one.band)} either way is called defying"
        )
    places = {(line.value("machine"), line.value("device")) for line in lines if line.expectation}
    if len(bands) < len(places):
        each.append(
            f"of fewer than {FEWEST} it cannot be told what is usual, so none is said to defy"
        )
    text = "; ".join(each)
    return f"{text[0].upper()}{text[1:]}."


def software(base: Result, others: Sequence[Result]) -> dict[str, list[str]]:
    """What differs in software between the base and the others, by what to say before it."""
    told = "differ in software, which a ratio may tell of as well as of the machines:"
    found = {other.name: provenance.software(base.runs, other.runs) for other in others}
    return {f"{base.name} and {name} {told}": differ for name, differ in found.items() if differ}


def hardware(base: Result, others: Sequence[Result]) -> dict[str, list[str]]:
    """Likewise what differs in the machines, and in how often they were measured."""
    found = {other.name: provenance.hardware(base.runs, other.runs) for other in others}
    return {
        f"{base.name} and {name} differ in:": differ for name, differ in found.items() if differ
    }


def caveats(base: Result, others: Sequence[Result]) -> list[str]:
    """What the comparison cannot tell."""
    earlier = [other.name for other in others if _in_time(base, other)]
    told = []
    if earlier:
        told.append(
            f"{together([base.name, *earlier])} are of one machine, measured at different times: "
            "that is a comparison in time, and what the machine did otherwise is in its ratios."
        )
    if len(earlier) < len(others):
        told += [ONE_DEVICE, NO_POWER]
    return told


def only_elsewhere(results: Sequence[Result]) -> str:
    """What to do where a result holds devices or threads that another one lacks."""
    places = [
        set(zip(result.frame["device"], result.frame["threads"], strict=True)) for result in results
    ]
    apart = all(len(place) == 1 for place in places)  # or else nothing would have matched
    if apart or all(place == places[0] for place in places):
        return ""
    return (
        "Not all were measured on the same devices and with the same threads. Cases are matched "
        "by both; `layerbench compare --across-devices` sets one device against another."
    )


def _in_time(base: Result, other: Result) -> bool:
    """Whether the two are of one machine, and no run is of both."""
    here, there = (set(map(provenance.machine_id, side.runs)) for side in (base, other))
    runs = ({run.get("run_id") for run in side.runs} for side in (base, other))
    return here == there and provenance.UNKNOWN not in here and not set.intersection(*runs)
