"""What a page holds of each layer: drawings, what they leave out, and the table behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from harness import units
from harness.report import caps, charts, facets, results, rows
from harness.report.canvas import Style
from harness.report.page import Figure
from harness.report.panels import AXES, LATENCY, MEMORY, Metric, Panel, metrics, panels
from harness.report.rows import Row
from harness.report.summary import together
from harness.report.table import Table

_IN_TURN = {LATENCY: 0, MEMORY: 1}
"""Which figures are drawn before all others where there is not room for all."""


@dataclass(frozen=True)
class Drawings:
    """What can be drawn of one layer in one setting.

    Attributes:
        members: its rows.
        panels: of each figure that a page has room for.
        left_out: of each figure that it has none for.
    """

    members: tuple[Row, ...]
    panels: Mapping[Metric, Sequence[Panel]]
    left_out: Mapping[Metric, Sequence[Panel]]


def drawings(newest: Sequence[Row]) -> list[Drawings]:
    """Those of each layer and setting, in the order in which they first appear.

    As many as `caps.room` has bytes for: latencies before peaks of memory before throughputs, which
    a latency tells as well, and each layer's first setting before any layer's second.
    """
    found: list[tuple[int, tuple[Row, ...], dict[Metric, list[Panel]]]] = []
    for members in rows.by_layer(newest).values():
        for turn, setting in enumerate(dict.fromkeys(row.setting for row in members)):
            group = tuple(row for row in members if row.setting == setting)
            drawn = {name: chosen for name in metrics(group) if (chosen := panels(group, name))}
            found.append((turn, group, drawn))
    in_turn = sorted(
        (
            (_IN_TURN.get(metric, len(_IN_TURN)), turn, place, metric)
            for place, (turn, _, drawn) in enumerate(found)
            for metric in drawn
        ),
        key=lambda one: one[:3],
    )
    room, fitting = caps.room(newest), set()
    for _, _, place, metric in in_turn:
        weight = sum(map(charts.weight, found[place][2][metric]))
        if weight <= room:
            room -= weight
            fitting.add((place, metric))
    return [
        Drawings(
            group,
            {metric: chosen for metric, chosen in drawn.items() if (place, metric) in fitting},
            {metric: chosen for metric, chosen in drawn.items() if (place, metric) not in fitting},
        )
        for place, (_, group, drawn) in enumerate(found)
    ]


@dataclass(frozen=True)
class Group:
    """All that is shown of one layer in one setting.

    Attributes:
        setting: device, dtype, threads and parameters.
        facets: what the page can be narrowed by; see `harness.report.facets`.
        key: the name of each series with its swatch.
        charts: first of latency, then of throughput, then of peak memory.
        remarks: what a reader may miss among them.
        table: the latencies.
    """

    setting: str
    facets: Mapping[str, str]
    key: tuple[Figure, ...]
    charts: tuple[Figure, ...]
    remarks: tuple[str, ...]
    table: Table


def groups(newest: Sequence[Row], looks: Mapping[str, Style]) -> Iterator[tuple[str, list[Group]]]:
    """Each layer's name with its groups, one a setting.

    Args:
        newest: of the report.
        looks: how each series looks.
    """
    by_layer = groupby(drawings(newest), key=lambda one: one.members[0].layer)
    for index, (layer, members) in enumerate(by_layer):
        yield (
            layer,
            [_group(one, looks, f"layer{index}-{number}") for number, one in enumerate(members)],
        )


def _group(made: Drawings, looks: Mapping[str, Style], key: str) -> Group:
    members, drawn = made.members, made.panels
    remarks = list(_remarks(members, {**drawn, **made.left_out}))
    if made.left_out:
        missing = together(sorted({name.title for name in made.left_out}))
        remarks.append(
            f"{missing}: not drawn, as drawings of all would make this page too large; "
            "`harness.plot` draws any of them."
        )
    shown = {line.series for chosen in drawn.values() for panel in chosen for line in panel.lines}
    return Group(
        setting=rows.setting_text(members[0].setting),
        facets=facets.of(members),
        key=swatches((name for name in looks if name in shown), looks, key),
        charts=tuple(
            figure
            for number, chosen in enumerate(drawn.values())
            for figure in _figures(chosen, looks, f"{key}-{number}")
        ),
        remarks=tuple(remarks),
        table=results.latency(members),
    )


def _figures(chosen: Sequence[Panel], looks: Mapping[str, Style], key: str) -> Iterator[Figure]:
    scale = charts.shared_scale(chosen)
    for index, panel in enumerate(chosen):
        drawing = charts.panel(panel, scale, looks, f"{key}-{index}")
        held = f", at {panel.held}" if panel.held else ""
        subtitle = f"against {AXES[panel.axis]}{held}"
        title = f"{panel.metric.title}, {panel.mode}"
        yield Figure(title, Markup(drawing), subtitle, panel.mode)


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
        bounds = together(dict.fromkeys(row.peak_memory for row in small))
        yield f"{units.count(len(small), 'peak')} too small to read ({bounds}): not drawn."
    if any_drawn and (zeros := sum(row.peak_memory_bytes == 0 for row in measured)):
        yield f"{units.count(zeros, 'peak')} of 0 B cannot be shown on a logarithmic axis."


def swatches(names: Iterable[str], looks: Mapping[str, Style], key: str) -> tuple[Figure, ...]:
    """The key of a drawing.

    Args:
        names: of the series in it.
        looks: how each looks.
        key: unique in the page.
    """
    return tuple(
        Figure(name, Markup(charts.swatch(looks[name], f"{key}-key{index}")))
        for index, name in enumerate(names)
    )
