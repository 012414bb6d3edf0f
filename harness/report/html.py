"""One HTML file that needs nothing from anywhere: drawings, style and script are inside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from harness import compare, units
from harness.gate.outcome import Outcome
from harness.report import (
    caps,
    ceilings,
    charts,
    forest,
    legend,
    page,
    provenance,
    ratios,
    results,
    rows,
    summary,
)
from harness.report.attention.section import section
from harness.report.canvas import Style, styles
from harness.report.guard import section as guard
from harness.report.history import events
from harness.report.history import section as history
from harness.report.page import Figure
from harness.report.panels import AXES, LATENCY, MEMORY, Metric, Panel, panels
from harness.report.provenance import Run
from harness.report.rows import Row, Setting
from harness.report.table import Table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Group:
    """All that is shown of one layer in one setting.

    Attributes:
        setting: device, dtype, threads and parameters.
        key: the name of each series with its swatch.
        charts: first of latency, then of peak memory.
        remarks: what a reader may miss among them.
        table: the latencies.
    """

    setting: str
    key: tuple[Figure, ...]
    charts: tuple[Figure, ...]
    remarks: tuple[str, ...]
    table: Table


@dataclass(frozen=True)
class Comparison:
    """How the other configurations do against one: a forest plot a mode."""

    heading: str
    key: tuple[Figure, ...]
    charts: tuple[Figure, ...]


def render(
    frame: pd.DataFrame,
    runs: Sequence[Run],
    profiles: Mapping[str, str] | None = None,
    outcomes: Sequence[Outcome] = (),
) -> str:
    """The report of a frame of results as one HTML document.

    Args:
        frame: what `harness.store.load` returns.
        runs: what the ``run.json`` of each of its runs holds; may be empty.
        profiles: where the page of a case's profile lies, by case id.
        outcomes: what gates found; there may be nothing else.
    """
    whole = rows.newest(frame)
    newest = caps.shown(whole)
    pairs = compare.frameworks(frame)
    layers = ratios.by_layer(pairs)
    looks = _styles(whole)
    gate = guard.section(outcomes)
    gate_only = bool(gate) and frame.empty
    pages = page.environment()
    script = Markup(pages.get_template("report.js.j2").render())
    return pages.get_template("report.html.j2").render(
        title=gate[0].title if gate_only else summary.title(whole, runs),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        verdict=[block.headline for block in gate]
        if gate_only
        else summary.verdict(whole, runs, pairs),
        notes=[*summary.notes(frame, whole, runs), *caps.notes(frame, whole, newest, runs)],
        counts=summary.counts(whole),
        machines=provenance.machine_table(runs),
        ceilings=ceilings.table(runs),
        attention=section(newest),
        gate=gate,
        histories=history.section(frame, runs),
        machines_apart=events.MACHINES,
        layers=list(_layers(newest, looks)),
        forests=list(_forests(layers, looks)),
        frameworks=ratios.frameworks(layers),
        pairs=ratios.pairs(caps.pairs(pairs, newest)),
        failures=results.failures(caps.failures(whole)),
        not_measured=results.not_measured(whole),
        warnings=results.warnings(newest),
        every_row=results.every_row(caps.every(frame, newest)),
        profiles=profiles or {},
        marks=legend.explained(newest),
        example=summary.example(newest),
        runs=provenance.run_table(runs),
        commands=provenance.commands(runs),
    )


def _styles(newest: Sequence[Row]) -> dict[str, Style]:
    groups = {row.series: (row.source, row.execution) for row in newest}
    return styles({name: groups[name] for name in rows.ordered_series(newest)})


def _layers(newest: Sequence[Row], looks: Mapping[str, Style]) -> Iterator[tuple[str, list[Group]]]:
    """Each layer's name with its groups, one a setting."""
    for index, (layer, members) in enumerate(rows.by_layer(newest).items()):
        settings: dict[Setting, list[Row]] = {}
        for row in members:
            settings.setdefault(row.setting, []).append(row)
        groups = [
            _group(group, looks, f"layer{index}-{number}")
            for number, group in enumerate(settings.values())
        ]
        yield layer, groups


def _group(members: Sequence[Row], looks: Mapping[str, Style], key: str) -> Group:
    drawn = {metric: chosen for metric in (LATENCY, MEMORY) if (chosen := panels(members, metric))}
    lines = (line for chosen in drawn.values() for panel in chosen for line in panel.lines)
    shown = {line.series for line in lines}
    return Group(
        setting=rows.setting_text(members[0].setting),
        key=_key((name for name in looks if name in shown), looks, key),
        charts=tuple(
            figure
            for number, chosen in enumerate(drawn.values())
            for figure in _figures(chosen, looks, f"{key}-{number}")
        ),
        remarks=tuple(_remarks(members, drawn)),
        table=results.latency(members),
    )


def _figures(chosen: Sequence[Panel], looks: Mapping[str, Style], key: str) -> Iterator[Figure]:
    scale = charts.shared_scale(chosen)
    for index, panel in enumerate(chosen):
        drawing = charts.panel(panel, scale, looks, f"{key}-{index}")
        held = f", at {panel.held}" if panel.held else ""
        subtitle = f"against {AXES[panel.axis]}{held}"
        yield Figure(f"{panel.metric.title}, {panel.mode}", Markup(drawing), subtitle)


def _remarks(members: Sequence[Row], drawn: Mapping[Metric, Sequence[Panel]]) -> Iterator[str]:
    """What a reader may miss among the drawings of a group."""
    measured = [row for row in members if row.latency is not None]
    if not measured:
        yield "No latency was measured."
    elif LATENCY not in drawn:
        yield "Only one batch size and sequence length was measured: nothing to draw against."
    yield from _undrawn_memory(measured, any_drawn=MEMORY in drawn)


def _undrawn_memory(measured: Sequence[Row], *, any_drawn: bool) -> Iterator[str]:
    """Which peaks of memory are not among the drawings, and why."""
    small = [row for row in measured if row.memory_below_resolution]
    if measured and not small and all(row.peak_memory_bytes is None for row in measured):
        yield "Peak memory was not measured."
    if small:
        bounds = summary.together(dict.fromkeys(row.peak_memory for row in small))
        yield f"{units.count(len(small), 'peak')} too small to read ({bounds}): not drawn."
    if any_drawn and (zeros := sum(row.peak_memory_bytes == 0 for row in measured)):
        yield f"{units.count(zeros, 'peak')} of 0 B cannot be shown on a logarithmic axis."


def _key(names: Iterable[str], looks: Mapping[str, Style], key: str) -> tuple[Figure, ...]:
    return tuple(
        Figure(name, Markup(charts.swatch(looks[name], f"{key}-key{index}")))
        for index, name in enumerate(names)
    )


def _forests(layers: pd.DataFrame, looks: Mapping[str, Style]) -> Iterator[Comparison]:
    """The forest plots of each base, on each device and machine."""
    one_machine = rows.has_one_machine(layers)
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in compare.records(layers):
        groups.setdefault((row["machine_id"], row["device"], row["base"]), []).append(row)
    for number, ((machine, device, base), group) in enumerate(groups.items()):
        suffix = rows.machine_suffix(machine, one_machine=one_machine)
        others = {name: looks[name + suffix] for name in dict.fromkeys(r["other"] for r in group)}
        key = f"forest{number}"
        yield Comparison(
            heading=f"Time relative to {base} on {device}{suffix}",
            key=_key(others, others, key),
            charts=tuple(_mode_forests(group, others, key)),
        )


def _mode_forests(
    group: Sequence[Mapping[str, Any]], others: Mapping[str, Style], key: str
) -> Iterator[Figure]:
    limits = forest.shared_limits(group)
    layers = list(dict.fromkeys(row["layer"] for row in group))
    for index, mode in enumerate(dict.fromkeys(row["mode"] for row in group)):
        members = [row for row in group if row["mode"] == mode]
        figures = "; ".join(
            f"{row['layer']}, {row['other']}: {units.ratio(row['ratio'])}" for row in members
        )
        description = f"Time ratios by layer, {mode}. {figures}."
        drawing = forest.forest(members, layers, limits, others, f"{key}-{index}", description)
        yield Figure(mode, Markup(drawing))
