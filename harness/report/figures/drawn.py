"""Each kind of drawing, standing alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.gate.history import CaseHistory, History
from harness.report import charts, forest
from harness.report.attention import charts as attention
from harness.report.attention.study import Study
from harness.report.axes import Scale
from harness.report.canvas import Style
from harness.report.cases import chart as samples
from harness.report.cases.samples import Pass
from harness.report.choose.directions import SIDES, Block
from harness.report.choose.grids import Grid, Speedup
from harness.report.figures import grid
from harness.report.figures.dress import Caption, dress
from harness.report.forests import Forest
from harness.report.heatmap import HeatMap
from harness.report.history import chart as history
from harness.report.history import events
from harness.report.machines.drawings import Plot
from harness.report.panels import MEMORY, Panel
from harness.report.roofline import chart as roofline
from harness.report.roofline.points import Roofline
from harness.report.rows import Row, setting_text
from harness.report.summary import together

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_HATCHED = "hatched: the 95 % interval contains 1"


def of_panel(
    panel: Panel, scale: Scale, looks: Mapping[str, Style], members: Sequence[Row]
) -> Figure:
    """One figure of one layer over one axis.

    Args:
        panel: what is drawn.
        scale: from `harness.report.charts.shared_scale`.
        looks: from `harness.report.series.looks`.
        members: the rows that the panel is of: one layer in one setting.
    """
    held = f", {panel.held}" if panel.held else ""
    caption = Caption(
        title=members[0].layer,
        details=(
            f"{panel.mode}{held}",
            setting_text(members[0].setting),
            *_unread(panel, members),
        ),
        upward=panel.metric.title,
        key=tuple((line.series, looks[line.series]) for line in panel.lines),
    )
    return dress(charts.panel_figure(panel, scale, looks), caption)


def _unread(panel: Panel, members: Sequence[Row]) -> Iterator[str]:
    """That peaks of memory are missing because they are too small."""
    small = [row for row in members if row.mode == panel.mode and row.memory_below_resolution]
    if panel.metric is MEMORY and small:
        bounds = together(dict.fromkeys(row.peak_memory for row in small))
        yield f"peaks {bounds} are too small to draw"


def of_forest(found: Forest, looks: Mapping[str, Style]) -> Figure:
    """How other configurations do against one, by layer."""
    others = {name: looks[name + found.machine] for name in found.others}
    figure = forest.forest_figure(found.ratios, found.means, found.limits, others)
    caption = Caption(
        title=f"Time relative to {found.base}",
        details=(
            f"{found.mode}, on {found.where}; geometric mean over common cases, 95 % interval",
        ),
        key=tuple(others.items()),
    )
    return dress(figure, caption)


def of_speedup(of: Grid, found: Speedup) -> Figure:
    """One grid of a layer, over batch size and sequence length."""
    details = (found.title, of.setting, _HATCHED)
    return dress(grid.figure(found), Caption(f"Speedup of {of.layer}", details))


def of_densities(found: HeatMap, base: str, setting: str) -> Figure:
    """The speedup of each way to attend over the length, and how much of the scores it computes."""
    details = (found.title, setting, "below a speedup: its interval and the density", _HATCHED)
    return dress(grid.figure(found), Caption(f"Speedup over {base}", details))


def of_directions(found: Block) -> Figure:
    """What a backward pass takes of a forward one, by layer; of a block that has means."""
    figure = forest.forest_figure(
        found.ratios, (), forest.shared_limits(found.ratios), found.shown, SIDES
    )
    details = ("geometric mean over the sizes that all frameworks have, 95 % interval",)
    return dress(figure, Caption(found.title, details, key=tuple(found.shown.items())))


def of_machines(found: Plot, base: str) -> Figure:
    """How the other machines do against one, by layer."""
    figure = forest.forest_figure(found.ratios, (), found.limits, found.looks)
    caption = Caption(
        title=f"Time relative to {base}",
        details=(f"{found.title}; geometric mean over common cases, 95 % interval",),
        key=tuple(found.looks.items()),
    )
    return dress(figure, caption)


def of_attention(panel: Panel, scale: Scale, looks: Mapping[str, Style], study: Study) -> Figure:
    """One figure of all ways to attend over the length; their names stand at their lines."""
    caption = Caption(
        title=f"Attention, {panel.mode}",
        details=(study.setting.title,),
        upward=panel.metric.title,
    )
    return dress(attention.chart_figure(panel, scale, looks), caption)


def of_history(found: History, case: CaseHistory) -> Figure:
    """One case over the runs of a machine."""
    caption = Caption(
        title=f"Latency of {case.case.partition('/')[0]}",
        details=(
            case.case,
            events.title(found),
            "dots: runs; lines: levels; dashed: changes",
        ),
    )
    return dress(history.chart_figure(found, case), caption)


def of_roofline(found: Roofline, looks: Mapping[str, Style]) -> Figure:
    """What each case reached of what the machine was measured to do."""
    series = dict.fromkeys(point.series for point in found.points)
    caption = Caption(
        title=f"Roofline of {found.machine}, {found.mode}",
        details=(f"{found.setting}; a point a case, by its declared work and least traffic",),
        upward="FLOP/s",
        key=tuple((name, replace(looks[name], dash="none")) for name in looks if name in series),
    )
    return dress(roofline.chart_figure(found, looks), caption)


def of_samples(row: Row, passes: Sequence[Pass]) -> Figure:
    """The samples of one case, over time and by how often each time occurred."""
    caption = Caption(
        title=f"Samples of {row.layer}",
        details=(row.case_id, samples.description(passes), "thick: the median of each pass"),
    )
    return dress(samples.chart_figure(passes), caption)
