"""Every figure of a report, with what its file is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from harness import compare
from harness.gate.history import History, histories
from harness.report import charts, rows, series
from harness.report.attention import charts as attention_charts
from harness.report.attention import lines
from harness.report.attention.section import section
from harness.report.canvas import Style
from harness.report.figures import drawn
from harness.report.figures.files import COLUMN, PAGE
from harness.report.forests import forests
from harness.report.panels import Metric, metrics, panels
from harness.report.provenance import Run
from harness.report.roofline.points import rooflines
from harness.report.rows import Row

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

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


def every(frame: pd.DataFrame, runs: Sequence[Run]) -> Iterator[Named]:
    """The figures of the layers, of attention, of frameworks, rooflines and histories.

    Args:
        frame: what `harness.store.load` returns.
        runs: what the ``run.json`` of each of its runs holds.
    """
    newest = rows.newest(frame)
    looks = series.looks(newest)
    for members in rows.by_layer(newest).values():
        yield from _of_layer(members, looks)
    yield from _of_attention(newest)
    for forest in forests(compare.frameworks(frame), one_machine=rows.has_one_machine(frame)):
        parts: tuple[str, ...] = ("frameworks", forest.mode, forest.base, forest.where)
        yield Named(parts, partial(drawn.of_forest, forest, looks))
    for roofline in rooflines(newest, runs):
        parts = ("roofline", roofline.mode, roofline.setting, roofline.machine)
        yield Named(parts, partial(drawn.of_roofline, roofline, looks), PAGE)
    yield from _of_histories(histories(frame, runs))


def _of_layer(members: Sequence[Row], looks: Mapping[str, Style]) -> Iterator[Named]:
    """Each figure, mode and axis; the setting is in a name where the layer has several."""
    varying = rows.varying_parts(members)
    for setting in dict.fromkeys(row.setting for row in members):
        group = [row for row in members if row.setting == setting]
        for metric in metrics(group):
            chosen = panels(group, metric)
            for panel in chosen:
                parts = (group[0].layer, _word(metric), panel.mode, panel.axis)
                scale = charts.shared_scale(chosen)
                yield Named(
                    (*parts, rows.setting_text(setting, varying)),
                    partial(drawn.of_panel, panel, scale, looks, group),
                )


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


def _of_histories(found: Sequence[History]) -> Iterator[Named]:
    """The cases with a change, and the first of those without one."""
    for history in found:
        machine = history.machine_id if len(found) > 1 else ""
        changed = [case for case in history.cases if case.changes]
        unchanged = [case for case in history.testable if not case.changes]
        for case in (*changed, *unchanged[:_UNCHANGED]):
            parts = ("history", case.case, machine)
            yield Named(parts, partial(drawn.of_history, history, case))
