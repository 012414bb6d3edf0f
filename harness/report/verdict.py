"""The verdict of a report: three sentences in plain words, and how far to trust them in one line.

Each is computed from the rows, and is the same in every layout. What a sentence leaves out stands
on the pages behind it.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from harness import compare, units
from harness.damage import Damage
from harness.report import rows, summary
from harness.report.rows import Row
from harness.report.summary import together
from harness.stats import Interval, geometric_mean, mean_ratio, ratio_interval

_PLACES = 2
"""Devices and machines that the first sentence speaks of; of others the pages do."""
_OTHERS = 3
"""Configurations that it names beside the base of each."""
_FAILURES = 5
"""Kinds of failure that are told on the first page."""


def sentences(newest: Sequence[Row]) -> list[str]:
    """What is fastest, what failed or is missing, and how far to trust it."""
    if not newest:
        return ["There are no results: no case was measured, so there is nothing to report."]
    return [_fastest(newest), summary.tally(newest), _known(newest)]


def outcome(newest: Sequence[Row]) -> list[str]:
    """What came of a run, and how far to trust it: the verdict without a word on who is fastest."""
    if not newest:
        return sentences(newest)
    return [*sentences(newest)[1:], f"Trust: {trust(newest)}."]


def failures(newest: Sequence[Row]) -> list[str]:
    """Each kind of failure with one case that shows it, the commonest first."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for row in newest:
        if row.failed:
            kinds.setdefault((row.status, row.reason), []).append(row.case_id)
    ordered = sorted(kinds.items(), key=lambda item: -len(item[1]))
    told = [
        f"{len(cases)} {status}: {reason or 'no reason given'} ({cases[0]}"
        f"{f' and {len(cases) - 1} more' if len(cases) > 1 else ''})"
        for (status, reason), cases in ordered[:_FAILURES]
    ]
    rest = len(ordered) - len(told)
    return [*told, f"{units.count(rest, 'more kind')} of failure"] if rest > 0 else told


def trust(newest: Sequence[Row], damage: Sequence[Damage] = ()) -> str:
    """Converged, warm, checked, checks failed, warnings, what is damaged: in one line."""
    measured = [row for row in newest if row.latency is not None]
    broken = filter(None, [summary.damaged(damage)])
    if not measured:
        return " · ".join(["no latency was measured", *broken])
    number = len(measured)
    checked = [row for row in measured if row.parity_error is not None]
    parity = f"checked against float64 {len(checked)} of {number}"
    if checked:
        worst = max(row.parity_error or 0.0 for row in checked)
        parity += f" (worst {units.error(worst)})"
    warned = sum(bool(row.warnings) for row in newest)
    return " · ".join(
        [
            f"converged {sum(row.converged for row in measured)} of {number}",
            f"warm {sum(row.warmed for row in measured)} of {number}",
            parity,
            _checks(measured),
            *summary.disturbed(measured),
            f"warned {warned or 'none'}",
            *broken,
        ]
    )


def _checks(measured: Sequence[Row]) -> str:
    """``failed checks passes 2, trend 1``."""
    found = Counter(check for row in measured for check in row.audit)
    each = ", ".join(f"{check} {number}" for check, number in found.most_common())
    return f"failed checks {each or 'none'}"


def _fastest(newest: Sequence[Row]) -> str:
    names = {row.framework for row in newest}
    if len(names) < 2:
        return f"Only one framework was run ({together(names)}), so nothing can be called faster."
    places: dict[str, list[Row]] = {}
    for row in newest:
        suffix = rows.machine_suffix(row.machine_id, one_machine=row.one_machine)
        places.setdefault(f"{row.device}{suffix}", []).append(row)
    found = [clause for place, members in places.items() if (clause := _at(place, members))]
    if not found:
        return "No case was measured by all configurations, so none can be called the fastest."
    rest = len(found) - _PLACES
    more = [f"{units.count(rest, 'more device')} under Choose a framework"] if rest > 0 else []
    told = "; ".join([*found[:_PLACES], *more])
    return f"{told[0].upper()}{told[1:]}."


def _at(place: str, members: Sequence[Row]) -> str:
    """Who is fastest in one place, over the cases that all of its configurations measured."""
    by_work: dict[tuple[object, ...], dict[str, Row]] = {}
    for row in members:
        work = (row.layer, row.mode, row.dtype, row.threads, row.batch, row.seq, row.params)
        if row.latency is not None:
            by_work.setdefault(work, {})[row.configuration] = row
    names = list(dict.fromkeys(name for found in by_work.values() for name in found))
    common = [found for found in by_work.values() if len(found) == len(names)]
    if not common or len({row.framework for row in common[0].values()}) < 2:
        return ""
    order = {row.configuration: (row.framework, row.execution) for row in common[0].values()}
    base, *others = sorted(names, key=lambda name: compare.configuration_order(*order[name]))
    ratios = {name: [_ratio(found[name], found[base]) for found in common] for name in others}
    means = {name: mean_ratio(found) for name, found in ratios.items()}
    first, *rest = sorted(others, key=lambda name: means[name].value)
    if not means[first].excludes(1.0):
        told = f"{base} and {first} cannot be told apart ({_told(means[first])} its time)"
        told += "".join(f", {name} takes {_told(means[name])}" for name in rest[: _OTHERS - 1])
    elif means[first].value < 1:
        told = f"{first} is fastest, at {_told(means[first])} the time of {base}"
        told += "".join(f", {name} at {_told(means[name])}" for name in rest[: _OTHERS - 1])
    else:
        slower = [f"{name} takes {_told(means[name])}" for name in (first, *rest)]
        told = f"{base} is fastest: {', '.join(slower[:_OTHERS])} its time"
    over = f"over {units.count(len(common), 'case')} that all measured"
    return f"on {place}, {over}, {told}{_spread(common, ratios)}"


def _ratio(other: Row, base: Row) -> Interval:
    assert other.latency is not None
    assert base.latency is not None
    return ratio_interval(other.latency, base.latency)


def _told(ratio: Interval) -> str:
    return units.ratio_interval(ratio.value, ratio.low, ratio.high)


def _spread(common: Sequence[Mapping[str, Row]], ratios: Mapping[str, Sequence[Interval]]) -> str:
    """How far single layers lie from each other: nobody runs a geometric mean."""
    layers: dict[tuple[str, str, str], list[float]] = {}
    for name, found in ratios.items():
        for rows_of, ratio in zip(common, found, strict=True):
            key = (name, rows_of[name].layer, rows_of[name].mode)
            layers.setdefault(key, []).append(ratio.value)
    if len(layers) < 2:
        return ""
    means = {key: geometric_mean(values) for key, values in layers.items()}
    low, high = (
        f"{units.ratio(means[key])} ({key[1]} {key[2]}{', ' + key[0] if len(ratios) > 1 else ''})"
        for key in (pick(means, key=lambda key: means[key]) for pick in (min, max))
    )
    return f"; by layer from {low} to {high}"


def _known(newest: Sequence[Row]) -> str:
    measured = [row for row in newest if row.latency is not None]
    if not measured:
        return "No latency was measured, so there is no figure to trust or to doubt."
    widths = [row.latency.relative_half_width for row in measured if row.latency is not None]
    parts = [f"A typical latency is known to ±{units.percent(statistics.median(widths))}"]
    sound = sum(row.converged and row.warmed and not row.audit for row in measured)
    if sound == len(measured):
        parts.append("all settled and passed every check of themselves")
    else:
        parts.append(
            f"{sound} of {len(measured)} settled and passed every check of themselves; "
            f"mistrust the rest first ({', '.join(_faults(measured))})"
        )
    if any(row.passes == 1 for row in measured):
        parts[-1] += ", some from a single process only"
    return f"{', and '.join(parts)}."


def _faults(measured: Sequence[Row]) -> Iterator[str]:
    """What is wrong with how many rows; one may have several faults."""
    found = Counter(
        fault
        for row in measured
        for fault, there in {
            "not converged": not row.converged,
            "not warm": not row.warmed,
            "a failed check": bool(row.audit),
        }.items()
        if there
    )
    yield from (f"{fault} {number}" for fault, number in found.items())
