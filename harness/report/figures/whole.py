"""Every figure of a report, with what its file is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from harness import units
from harness.gate.history import History
from harness.report import caps, charts, contents, layers, rows, series
from harness.report.attention import charts as attention_charts
from harness.report.attention import lines
from harness.report.attention.section import section
from harness.report.canvas import Style
from harness.report.cases import choice
from harness.report.cases.samples import Passes, by_row, key
from harness.report.choose import section as choose
from harness.report.contents import Contents
from harness.report.figures import drawn
from harness.report.figures.files import COLUMN, PAGE
from harness.report.forests import forests
from harness.report.layers import Drawings
from harness.report.machines import section as machines
from harness.report.panels import Metric
from harness.report.provenance import Run
from harness.report.roofline.points import rooflines
from harness.report.rows import Row

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_NARROW = 4
"""Columns of a grid that one column of a paper has room for."""
_UNCHANGED = 60
"""Histories of cases without a change that are drawn at most, of a machine."""


@dataclass(frozen=True)
class Named:
    """A figure that is drawn when it is asked for.

    Attributes:
        parts: of its file's name; may hold anything.
        draw: makes it.
        width: that its file has, in points.
    """

    parts: tuple[str, ...]
    draw: Callable[[], Figure]
    width: float = COLUMN


def every(
    frame: pd.DataFrame,
    runs: Sequence[Run],
    samples: pd.DataFrame | None = None,
    read: Contents | None = None,
) -> Iterator[Named]:
    """The figures of layers, attention, frameworks, rooflines, speedups over batch and length, the
    way back, machines, histories, and of single cases.

    They are those of the page, capped as there; see `harness.report.caps`, and `notes`.

    Args:
        frame: what `harness.store.load` returns.
        runs: what the ``run.json`` of each of its runs holds.
        samples: what `harness.store.load_samples` returns; without it no case's are drawn.
        read: of the frame, if another layout has read it.
    """
    read = read or contents.read(frame, runs)
    newest, looks = read.newest, series.looks(read.whole)
    for found in layers.drawings(newest):
        yield from _of_layer(found, newest, looks)
    yield from _of_attention(newest)
    pairs = caps.of_machines(read.pairs, newest)
    for forest in forests(pairs, one_machine=rows.has_one_machine(frame)):
        parts: tuple[str, ...] = ("frameworks", forest.mode, forest.base, forest.where)
        yield Named(parts, partial(drawn.of_forest, forest, looks))
    for roofline in rooflines(newest, runs)[: caps.ROOFLINES]:
        parts = ("roofline", roofline.mode, roofline.setting, roofline.machine)
        yield Named(parts, partial(drawn.of_roofline, roofline, looks), PAGE)
    yield from _of_choice(newest)
    if sides := machines.section(frame, runs):
        yield from of_comparison(sides)
    yield from _of_histories([block.history for block in read.histories])
    yield from _of_samples(caps.every(frame, newest), by_row(samples))


def notes(frame: pd.DataFrame, samples: pd.DataFrame | None, read: Contents) -> list[str]:
    """What could be drawn and is not, in sentences; the arguments as for `every`."""
    told = []
    if len(read.newest) < len(read.whole):
        told.append(f"They are of {len(read.newest):,} of {len(read.whole):,} cases.")
    left_out = [found for found in layers.drawings(read.newest) if found.left_out]
    if left_out:
        panels = [one for found in left_out for one in found.left_out.values()]
        number = units.count(sum(map(len, panels)), "drawing")
        of = units.count(len({found.members[0].layer for found in left_out}), "layer")
        told.append(f"{number} of {of} would be too many: `harness.plot` makes any of them.")
    known = choice.known(caps.every(frame, read.newest), by_row(samples))
    return [*told, choice.told(known)]


def _of_layer(
    found: Drawings, newest: Sequence[Row], looks: Mapping[str, Style]
) -> Iterator[Named]:
    """Each figure, mode and axis; the setting is in a name where the layer has several."""
    first = found.members[0]
    varying = rows.varying_parts(row for row in newest if row.layer == first.layer)
    for metric, chosen in found.panels.items():
        scale = charts.shared_scale(chosen)
        for panel in chosen:
            yield Named(
                (
                    first.layer,
                    _word(metric),
                    panel.mode,
                    panel.axis,
                    rows.setting_text(first.setting, varying),
                ),
                partial(drawn.of_panel, panel, scale, looks, found.members),
            )


def _of_choice(newest: Sequence[Row]) -> Iterator[Named]:
    """Speedups over batch and length, and the way back against the way forward."""
    told = choose.section(newest)
    for found in told.grids:
        for one in found.maps:
            draw = partial(drawn.of_speedup, found, one)
            parts = ("speedup", found.layer, one.title, found.setting)
            yield Named(parts, draw, COLUMN if len(one.columns) <= _NARROW else PAGE)
    for block in told.directions:
        if block.means:
            where = ("directions", block.mode, block.place)
            yield Named(where, partial(drawn.of_directions, block))


def of_comparison(section: machines.Section) -> Iterator[Named]:
    """The figures of machines that are held against one of them."""
    for plot in section.plots:
        parts = ("machines", plot.title, section.base.name)
        yield Named(parts, partial(drawn.of_machines, plot, section.base.name))


def _word(metric: Metric) -> str:
    """``tokens per s``: what a name can hold."""
    return metric.title.replace("/", " per ")


def _of_attention(newest: Sequence[Row]) -> Iterator[Named]:
    for block in section(newest).blocks:
        looks = lines.looks(block.studies)
        for metric in lines.METRICS:
            pairs = [(study, lines.panel(study, metric)) for study in block.studies]
            pairs = [(s, panel) for s, panel in pairs if any(line.points for line in panel.lines)]
            for study, panel in pairs:
                scale = attention_charts.scale([panel for _, panel in pairs])
                parts = ("attention-by-length", _word(metric), study.mode, study.setting.title)
                draw = partial(drawn.of_attention, panel, scale, looks, study)
                yield Named(parts, draw, PAGE)
        for found in block.heatmaps:
            draw = partial(drawn.of_densities, found, block.base, block.title)
            yield Named(("attention-speedup", found.title, block.title), draw, PAGE)


def _of_histories(found: Sequence[History]) -> Iterator[Named]:
    """The cases with a change, and the first of those without one."""
    for history in found:
        machine = history.machine_id if len(found) > 1 else ""
        changed = [case for case in history.cases if case.changes]
        unchanged = [case for case in history.testable if not case.changes]
        for case in (*changed[: caps.SPARKLINES], *unchanged[:_UNCHANGED]):
            parts = ("history", case.case, machine)
            yield Named(parts, partial(drawn.of_history, history, case))


def _of_samples(shown: Sequence[Row], passes: Passes) -> Iterator[Named]:
    """Those that the page draws in a figure; a machine or run is named where there are several."""
    several_runs = len({row.run_id for row in shown}) > 1
    for row in choice.chosen(choice.known(shown, passes)):
        where = "" if row.one_machine else row.machine_id
        parts = ("samples", row.case_id, where, row.run_id if several_runs else "")
        yield Named(parts, partial(drawn.of_samples, row, passes[key(row)]), PAGE)
