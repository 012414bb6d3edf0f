"""The verdict of a report: three sentences in plain words, and how far to trust them in one line.

Each is computed from the rows. What a sentence leaves out stands on the pages behind it.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness import compare, units
from harness.compare import Verdict
from harness.report import ratios, rows, summary
from harness.report.rows import Row
from harness.report.summary import together

if TYPE_CHECKING:
    import pandas as pd

_PLACES = 2
"""Devices and machines that the first sentence speaks of; of others the pages do."""
_OTHERS = 3
"""Configurations that it names beside the base of each."""
_FAILURES = 5
"""Kinds of failure that are told on the first page."""


def sentences(newest: Sequence[Row], pairs: pd.DataFrame) -> list[str]:
    """What is fastest, what failed or is missing, and how far to trust it.

    Args:
        newest: of the report.
        pairs: what `harness.compare.frameworks` returns.
    """
    if not newest:
        return ["There are no results: no case was measured, so there is nothing to report."]
    return [_fastest(newest, pairs), summary.tally(newest), _known(newest)]


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


def trust(newest: Sequence[Row]) -> str:
    """Converged, warm, checked against the reference, checks failed, warnings: in one line."""
    measured = [row for row in newest if row.latency is not None]
    if not measured:
        return "no latency was measured"
    number = len(measured)
    checked = [row for row in measured if row.parity_error is not None]
    parity = f"held against float64 {len(checked)} of {number}"
    if checked:
        worst = max(checked, key=lambda row: row.parity_error or 0.0)
        where = f"{worst.layer}, {worst.configuration}, {worst.dtype}"
        parity += f", largest error {units.error(worst.parity_error)} ({where})"
    warned = sum(bool(row.warnings) for row in newest)
    return " · ".join(
        [
            f"converged {sum(row.converged for row in measured)} of {number}",
            f"warm {sum(row.warmed for row in measured)} of {number}",
            parity,
            summary.failed_checks(newest) or "no row failed a check of itself",
            f"warnings on {units.count(warned, 'row')}" if warned else "no warnings",
        ]
    )


def _fastest(newest: Sequence[Row], pairs: pd.DataFrame) -> str:
    names = {row.framework for row in newest}
    if len(names) < 2:
        return f"Only one framework was run ({together(names)}), so nothing can be called faster."
    if pairs.empty:
        return "No case was measured in two frameworks, so frameworks cannot be compared."
    one_machine = all(row.one_machine for row in newest)
    places = list(dict.fromkeys(zip(pairs["machine_id"], pairs["device"], strict=True)))
    clauses = []
    for machine, device in places[:_PLACES]:
        here = pairs[(pairs["machine_id"] == machine) & (pairs["device"] == device)]
        suffix = rows.machine_suffix(machine, one_machine=one_machine)
        clauses.append(_at(f"{device}{suffix}", here))
    rest = len(places) - len(clauses)
    more = [f"{units.count(rest, 'more device')} under Choose a framework"] if rest > 0 else []
    told = "; ".join([*clauses, *more])
    return f"{told[0].upper()}{told[1:]}."


def _at(place: str, pairs: pd.DataFrame) -> str:
    """Who is fastest in one place, over the cases that all of its configurations measured."""
    base = min(pairs["base"], key=_order)  # with n configurations there are n² pairs, too many
    own = pairs[pairs["base"] == base]
    with_all = own["base_case"].value_counts() == own["other"].nunique()
    common = own[own["base_case"].map(with_all)]
    if common.empty:
        return f"on {place} no case was measured by all configurations"
    means = sorted(compare.records(ratios.together(common)), key=lambda mean: mean["ratio"])
    over = f"over {units.count(int(with_all.sum()), 'case')} that all measured"
    first = means[0]
    if first["verdict"] == Verdict.FASTER:
        told = f"{first['other']} is fastest, at {_ratio(first)} the time of {base}"
        told += "".join(f", {mean['other']} at {_ratio(mean)}" for mean in means[1:_OTHERS])
    elif first["verdict"] == Verdict.SLOWER:
        slower = ", ".join(f"{mean['other']} takes {_ratio(mean)}" for mean in means[:_OTHERS])
        told = f"{base} is fastest: {slower} its time"
    else:
        told = f"{base} and {first['other']} cannot be told apart ({_ratio(first)} its time)"
        told += "".join(f", {mean['other']} takes {_ratio(mean)}" for mean in means[1:_OTHERS])
    return f"on {place}, {over}, {told}{_spread(compare.records(ratios.by_layer(common)))}"


def _order(configuration: str) -> tuple[bool, str, int]:
    framework, _, execution = configuration.rpartition(" ")
    return compare.configuration_order(framework, execution)


def _ratio(mean: Mapping[str, Any]) -> str:
    return units.ratio_interval(mean["ratio"], mean["ratio_low"], mean["ratio_high"])


def _spread(layers: Sequence[Mapping[str, Any]]) -> str:
    """How far single layers lie from each other: nobody runs a geometric mean."""
    least = min(layers, key=lambda row: float(row["ratio"]))
    most = max(layers, key=lambda row: float(row["ratio"]))
    if least is most:
        return ""
    several = len({row["other"] for row in layers}) > 1
    low, high = (
        f"{units.ratio(row['ratio'])} ({row['layer']} {row['mode']}"
        f"{', ' + row['other'] if several else ''})"
        for row in (least, most)
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
