"""What a verdict opens with: who is fastest, of all that can be held against each other.

A sentence for frameworks and their executions on each device, for machines or devices, and for ways
to attend.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeAlias

from harness import compare, units
from harness.report import rows
from harness.report.attention.section import Section as Attention
from harness.report.attention.study import DENSE_KINDS, Kind, Study
from harness.report.machines.section import Section as Machines
from harness.report.rows import Row
from harness.report.summary import together
from harness.stats import Interval, mean_ratio, ratio_interval

_Works: TypeAlias = Mapping[Hashable, Row]
"""Measured rows by what they did, which is the same for rows that can be compared."""

_PLACES = 2
"""Devices and machines that have a sentence; of others the pages tell."""
_NAMED = 3
"""Contenders that it gives a ratio of, and names of those that cannot be told apart."""
_STAND_INS = (*DENSE_KINDS, Kind.SPARSE, Kind.APPROXIMATE)


def sentence(
    newest: Sequence[Row], sides: Machines | None = None, attention: Attention | None = None
) -> str:
    """Who is fastest among configurations, machines and ways to attend; or why nobody is."""
    found = [
        *_configurations(newest),
        *(_machines(sides) if sides else ()),
        *(_attention(attention) if attention else ()),
    ]
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in found or [_nobody(newest)])


def _nobody(newest: Sequence[Row]) -> str:
    run = {row.configuration for row in newest}
    measured = {row.configuration for row in newest if row.latency is not None}
    if not measured:
        return "no latency was measured, so nothing can be called the fastest"
    if len(measured) == 1:
        did = "was run" if len(run) == 1 else "gave a latency"
        return f"only {together(measured)} {did}, so nothing can be called faster"
    return "no two configurations measured the same case, so none can be called the fastest"


def _configurations(newest: Sequence[Row]) -> Iterator[str]:
    """A sentence a device and machine where two configurations did the same work."""
    places: dict[str, dict[str, dict[Hashable, Row]]] = {}
    order = {}
    for row in newest:
        if row.latency is None:
            continue
        place = row.device if row.one_machine else f"{row.device} of {row.machine_id}"
        work = (row.layer, row.mode, row.dtype, row.threads, row.batch, row.seq, row.params)
        order[row.configuration] = compare.configuration_order(row.framework, row.execution)
        places.setdefault(place, {}).setdefault(row.configuration, {})[work] = row
    found = []
    for place, measured in places.items():
        ordered = dict(sorted(measured.items(), key=lambda item: order[item[0]]))
        kept = _kept(ordered)
        if text := _clause({name: ordered[name] for name in ordered if name in kept}):
            every = {work for works in ordered.values() for work in works}
            found.append(f"on {place}, {text}{_left_out(ordered, kept, len(every))}")
    yield from found[:_PLACES]
    if (rest := len(found) - _PLACES) > 0:
        yield f"{units.count(rest, 'more device')} under Choose a framework"


def _kept(measured: Mapping[str, _Works]) -> set[str]:
    """Contenders that share enough cases: who measured a few must not shrink the rest to these.

    One is left out that measured less than half of the cases that those with more of them share.
    If that leaves one only, the one that shares most with it is held against it all the same.
    """
    first, *others = sorted(measured, key=lambda name: -len(measured[name]))
    kept, common = {first}, set(measured[first])
    for name in others:
        shared = common & set(measured[name])
        if shared and 2 * len(shared) >= len(common):
            kept.add(name)
            common = shared
    if len(kept) == 1 and others:
        kept.add(max(others, key=lambda name: len(common & set(measured[name]))))
    return kept


def _left_out(measured: Mapping[str, _Works], kept: set[str], cases: int) -> str:
    out = [f"{name} (measured {len(measured[name])})" for name in measured if name not in kept]
    if not out:
        return ""
    return f"; left out for too few of the {cases} cases: {together(_some(out))}"


def _machines(sides: Machines) -> Iterator[str]:
    """The clause on machines, or on devices of one, over the cases that all of them measured."""
    contenders: dict[str, _Works] = {}
    for side in (sides.base, *sides.others):
        machine, _, device = side.name.partition(", ")
        contenders[f"{machine} ({device})" if device else machine] = {
            row.case_id: row for row in rows.newest(side.frame) if row.latency is not None
        }
    if text := _clause(contenders):
        yield f"of the machines, {text}"


def _clause(contenders: Mapping[str, _Works]) -> str:
    """Who is fastest over the cases that all contenders share; empty if they share none.

    Args:
        contenders: the measured rows of each; the first of them is what ratios are over.
    """
    base, *others = contenders
    every = dict.fromkeys(work for works in contenders.values() for work in works)
    common = [work for work in every if all(work in works for works in contenders.values())]
    if not common or not others:
        return ""
    latencies = {
        name: [_latency(works[work]) for work in common] for name, works in contenders.items()
    }
    layers = [(contenders[base][work].layer, contenders[base][work].mode) for work in common]
    over = f"over {units.count(len(common), 'case')}"
    if len(common) < len(every):
        each = "both" if len(contenders) == 2 else "each of them"
        where = f" ({' '.join(layers[0])})" if len(set(layers)) == 1 else ""
        over = f"over the {len(common)} of {len(every)} cases that {each} measured{where}"
    return f"{over}, {lead(latencies, base)}{_spread(latencies, base, layers)}"


def lead(latencies: Mapping[str, Sequence[Interval]], base: str) -> str:
    """Who is fastest, or which of the fastest cannot be told apart, and how the others do.

    Args:
        latencies: of two contenders or more, each over the same cases in the same order.
        base: the one of them that ratios are over.
    """
    means = {name: _mean(latencies[name], latencies[base]) for name in latencies if name != base}
    first, *rest = sorted(latencies, key=lambda n: means[n].value if n in means else 1.0)
    ties = [n for n in rest if not _mean(latencies[n], latencies[first]).excludes(1.0)]
    told = {n: f"{n} {_takes(means[n])}" for n in (first, *rest) if n != base}
    listed = _some(list(told.values()))
    if ties:
        fastest = " are fastest and" if len(ties) < len(rest) else ""
        names = together(_some([first, *ties]))
        return f"{names}{fastest} cannot be told apart: {together(listed)} the time of {base}"
    if first == base:
        return f"{base} is fastest: {together(listed)} its time"
    other = "".join(f", {text}" for text in listed[1:])
    return f"{first} is fastest, at {_told(means[first])} the time of {base}{other}"


def _some(texts: Sequence[str]) -> list[str]:
    """As many as a sentence can bear."""
    rest = len(texts) - _NAMED
    return [*texts[:_NAMED], *([f"{rest} more"] if rest > 0 else [])]


def _mean(latencies: Sequence[Interval], bases: Sequence[Interval]) -> Interval:
    return mean_ratio(map(ratio_interval, latencies, bases))


def _latency(row: Row) -> Interval:
    assert row.latency is not None
    return row.latency


def _told(ratio: Interval) -> str:
    return units.ratio_interval(ratio.value, ratio.low, ratio.high)


def _takes(ratio: Interval) -> str:
    return f"takes {_told(ratio)}"


def _spread(
    latencies: Mapping[str, Sequence[Interval]], base: str, layers: Sequence[tuple[str, str]]
) -> str:
    """How far single layers lie from each other: nobody runs a geometric mean."""
    if len(set(layers)) < 2:
        return ""
    groups: dict[tuple[str, ...], list[Interval]] = {}
    for name, figures in latencies.items():
        if name != base:
            whose = (name,) if len(latencies) > 2 else ()
            for figure, reference, layer in zip(figures, latencies[base], layers, strict=True):
                groups.setdefault((*layer, *whose), []).append(ratio_interval(figure, reference))
    means = {key: mean_ratio(found) for key, found in groups.items()}
    low, high = (pick(means, key=lambda key: means[key].value) for pick in (min, max))
    least, most = (
        f"{_told(means[layer, mode, *whose])} for {layer} {mode}{''.join(f', {n}' for n in whose)}"
        for layer, mode, *whose in (low, high)
    )
    return f"; by layer from {least} to {most}"


def _attention(section: Attention) -> Iterator[str]:
    """The clause on ways to attend, at the greatest length at which dense attention has a time."""
    study = next((s for block in section.blocks for s in block.studies if s.base), None)
    if study is None:
        return
    for length in reversed(study.lengths):
        if len(contenders := _attending(study, length)) > 1:
            base = next(iter(contenders))
            setting = study.setting
            where = f"{setting.framework} on {setting.device}{setting.machine}, {study.mode}"
            yield f"of attention at length {length} ({where}), {lead(contenders, base)}"
            return


def _attending(study: Study, length: int) -> dict[str, list[Interval]]:
    """The latency of each way to attend, the base first; none if the base has none."""
    dense = study.base.get(length)
    if dense is None or dense.latency is None:
        return {}
    found = {}
    for variant in study.variants:
        row = variant.rows.get(length)
        if variant.kind in _STAND_INS and row and row.latency:
            stands_in = " (approximate)" if variant.kind is Kind.APPROXIMATE else ""
            found[f"{variant.name}{stands_in}"] = row
    ordered = sorted(found.items(), key=lambda item: item[1] is not dense)
    return {label: [_latency(row)] for label, row in ordered}
