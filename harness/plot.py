"""Figures of a frame for a notebook, drawn by what draws the report.

    import harness

    frame, runs = harness.load("results"), harness.load_runs("results")
    harness.plot.latency(frame, "lstm", against="seq", mode="train")
    harness.plot.roofline(frame, runs).savefig("roofline.pdf")

Each function returns a `matplotlib.figure.Figure` of its own and touches no other: no display and
no state of pyplot is needed. What a frame holds besides is left out by pandas beforehand, such as
``frame[frame["device"] == "cpu"]``; where a figure would have to choose, it says so instead. Of a
case that was measured again the later run counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from harness import compare
from harness.checks import check_known
from harness.gate.history import histories
from harness.report import charts, rows, series
from harness.report.attention import charts as attention_charts
from harness.report.attention import lines
from harness.report.attention import section as attention_section
from harness.report.choose import directions, grids
from harness.report.figures import drawn
from harness.report.forests import forests
from harness.report.machines import section as machine_section
from harness.report.panels import LATENCY, MEMORY, Metric, metrics, panels
from harness.report.provenance import Run
from harness.report.roofline.points import rooflines
from harness.report.rows import Row
from harness.types import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = [
    "attention",
    "backward",
    "frameworks",
    "history",
    "latency",
    "machines",
    "memory",
    "roofline",
    "speedup",
    "throughput",
]

_FILTER = "filter it first, as in frame[frame['device'] == 'cpu']"


def latency(
    frame: pd.DataFrame,
    layer: str | None = None,
    *,
    against: str | None = None,
    mode: str = "forward",
) -> Figure:
    """Time of a call against batch size or sequence length, with 95 % intervals.

        harness.plot.latency(frame, "lstm", against="seq", mode="train")

    A line is a framework and execution, its band the interval; marks at the top are cases that
    failed. Both axes are logarithmic. The other size is held at the largest value at which two or
    more were measured.

    Args:
        frame: what `harness.load` returns.
        layer: which; may be left out if the frame holds one.
        against: ``batch`` or ``seq``; the latter where it can be drawn, if not said.
        mode: ``forward``, ``backward`` or ``train``.

    Raises:
        UsageError: the frame holds no such thing, or several settings of the layer.
    """
    return _panel(frame, layer, LATENCY, against, mode)


def memory(
    frame: pd.DataFrame,
    layer: str | None = None,
    *,
    against: str | None = None,
    mode: str = "forward",
) -> Figure:
    """Peak memory of a call, as `latency`; peaks too small to read are left out.

        harness.plot.memory(frame, "lstm", against="batch", mode="train")

    Raises:
        UsageError: as `latency`.
    """
    return _panel(frame, layer, MEMORY, against, mode)


def throughput(
    frame: pd.DataFrame,
    layer: str | None = None,
    *,
    against: str | None = None,
    mode: str = "forward",
) -> Figure:
    """Tokens a second of a layer over sequences, items a second of any other, as `latency`.

        harness.plot.throughput(frame, "dense", against="batch")

    Raises:
        UsageError: as `latency`.
    """
    return _panel(frame, layer, None, against, mode)


def frameworks(frame: pd.DataFrame, *, base: str | None = None, mode: str = "forward") -> Figure:
    """A forest plot: time relative to one framework and execution, a line a layer.

        harness.plot.frameworks(frame, base="torch eager", mode="train")

    A ratio is the geometric mean over the cases that both measured; its bar is the 95 % interval.

    Args:
        frame: what `harness.load` returns.
        base: what is 1.00; the first there is if not said, PyTorch before others.
        mode: ``forward``, ``backward`` or ``train``.

    Raises:
        UsageError: nothing can be compared so, or the frame holds several devices or machines.
    """
    newest = _newest(frame)
    found = forests(compare.frameworks(frame), one_machine=rows.has_one_machine(frame))
    if not found:
        raise UsageError(
            "no case was measured in two frameworks on one machine, so there is nothing to compare"
        )
    _one("device or machine", (forest.where for forest in found))
    bases = [forest.base for forest in found]
    chosen = _known("base", base or bases[0], bases)
    modes = [forest.mode for forest in found if forest.base == chosen]
    _known("mode", mode, modes)
    forest = next(one for one in found if (one.base, one.mode) == (chosen, mode))
    return drawn.of_forest(forest, series.looks(newest))


def speedup(
    frame: pd.DataFrame, other: str, layer: str | None = None, *, mode: str = "forward"
) -> Figure:
    """A grid of one layer: how much faster than the usual base, at each batch size and length.

        harness.plot.speedup(frame, "tensorflow compiled", "lstm", mode="train")

    Args:
        frame: what `harness.load` returns.
        other: the framework and execution that is held against the first there is.
        layer: which; may be left out if the frame holds one such.
        mode: ``forward``, ``backward`` or ``train``.

    Raises:
        UsageError: nothing can be compared so, or the frame holds several settings of the layer.
    """
    found = list(grids.grids(_newest(frame)))
    if not found:
        raise UsageError(
            "no layer was measured in two ways at two sequence lengths, so there is no speedup "
            "over the length"
        )
    names = [one.layer for one in found]
    name = _one("layer", names, "name one") if layer is None else _known("layer", layer, names)
    of_layer = [one for one in found if one.layer == name]
    _one(f"setting of {name}", (one.setting for one in of_layer))
    (grid,) = of_layer
    _known("mode", mode, [one.mode for one in grid.maps])
    of_mode = {one.other: one for one in grid.maps if one.mode == mode}
    return drawn.of_speedup(grid, of_mode[_known("configuration", other, list(of_mode))])


def backward(frame: pd.DataFrame) -> Figure:
    """A forest plot: time of a backward pass, or of training, over that of a forward pass.

        harness.plot.backward(frame[frame["mode"] != "train"])

    Raises:
        UsageError: no layer was measured both ways, or there are several devices, dtypes, numbers
            of threads or machines.
    """
    found = [block for block in directions.blocks(_newest(frame)) if block.means]
    if not found:
        raise UsageError("no layer was measured both forward and back at one size")
    _one("setting", (block.title for block in found))
    return drawn.of_directions(found[0])


def machines(frame: pd.DataFrame, runs: Sequence[Run], *, mode: str = "forward") -> Figure:
    """A forest plot: time on each machine, or device, relative to the first, a line a layer.

        harness.plot.machines(harness.load(["a", "b"]), harness.load_runs(["a", "b"]))

    Args:
        frame: what `harness.load` returns.
        runs: what `harness.load_runs` returns.
        mode: ``forward``, ``backward`` or ``train``.

    Raises:
        UsageError: there are no two machines or devices with a case in common.
    """
    _newest(frame)
    found = machine_section.section(frame, runs)
    if found is None or not found.plots:
        raise UsageError("no two machines or devices measured one case, so nothing is compared")
    _known("mode", mode, [plot.mode for plot in found.plots])
    plot = next(plot for plot in found.plots if plot.mode == mode)
    return drawn.of_machines(plot, found.base.name)


def attention(frame: pd.DataFrame, *, mode: str = "forward") -> Figure:
    """Time of every way to attend over the length, dense and sparse, where they cross.

        harness.plot.attention(frame[frame["framework"] == "torch"], mode="train")

    Args:
        frame: what `harness.load` returns.
        mode: ``forward``, ``backward`` or ``train``.

    Raises:
        UsageError: attention was not measured at two lengths, or there are several settings.
    """
    found = attention_section.section(_newest(frame)).blocks
    if not found:
        raise UsageError("no attention was measured at two lengths beside dense attention")
    _one("setting", (block.title for block in found))
    (block,) = found
    _known("mode", mode, [study.mode for study in block.studies])
    panels = [lines.panel(study, lines.METRICS[0]) for study in block.studies]
    study, panel = next(
        (study, panel)
        for study, panel in zip(block.studies, panels, strict=True)
        if study.mode == mode
    )
    scale, looks = attention_charts.scale(panels), lines.looks(block.studies)
    return drawn.of_attention(panel, scale, looks, study)


def history(frame: pd.DataFrame, runs: Sequence[Run], case: str) -> Figure:
    """Latency of one case over the last runs of a machine, with its levels and where they moved.

        frame, runs = harness.load("results/epyc-2c"), harness.load_runs("results/epyc-2c")
        harness.plot.history(frame, runs, frame["case_id"][0])

    Give all cases of the machine: the more there are, the larger a change has to be not to be
    chance (docs/history.md).

    Args:
        frame: what `harness.load` returns.
        runs: what `harness.load_runs` returns.
        case: its id.

    Raises:
        UsageError: no run has a latency of it, or runs of several machines have.
    """
    _newest(frame)
    found = [
        (one, member) for one in histories(frame, runs) for member in one.cases if member.latencies
    ]
    _known("case", case, [member.case for _, member in found])
    of_case = [(one, member) for one, member in found if member.case == case]
    _one("machine", (one.machine_id for one, _ in of_case))
    return drawn.of_history(*of_case[0])


def roofline(frame: pd.DataFrame, runs: Sequence[Run], *, mode: str = "forward") -> Figure:
    """FLOP/s over arithmetic intensity, a point a case, below the ceilings measured there.

        harness.plot.roofline(frame, harness.load_runs("results"), mode="train")

    A layer is named beside its fastest point. Ceilings are the best of all frameworks and runs.

    Args:
        frame: what `harness.load` returns.
        runs: what `harness.load_runs` returns; they hold the ceilings.
        mode: ``forward``, ``backward`` or ``train``.

    Raises:
        UsageError: no case has both work and ceilings, or there are several devices, dtypes,
            numbers of threads or machines.
    """
    newest = _newest(frame)
    found = rooflines(newest, runs)
    if not found:
        raise UsageError("no ceilings of these cases were measured, so there is no roofline")
    _known("mode", mode, [one.mode for one in found])
    of_mode = [one for one in found if one.mode == mode]
    _one("setting", (f"{one.setting} on {one.machine}" for one in of_mode))
    return drawn.of_roofline(of_mode[0], series.looks(newest))


def _panel(
    frame: pd.DataFrame, layer: str | None, metric: Metric | None, against: str | None, mode: str
) -> Figure:
    """One panel of the report; of throughput where there is no metric, in what the layer does."""
    newest = _newest(frame)
    names = list(rows.by_layer(newest))
    name = _one("layer", names, "name one") if layer is None else _known("layer", layer, names)
    members = [row for row in newest if row.layer == name]
    _one(f"setting of {name}", (rows.setting_text(row.setting) for row in members))
    if metric is None:
        _, metric, _ = metrics(members)
    chosen = panels(members, metric)
    if not chosen:
        raise UsageError(
            f"{metric.title.lower()} of {name} cannot be drawn: it takes figures at two batch "
            "sizes or two sequence lengths"
        )
    _known("mode", mode, [panel.mode for panel in chosen])
    by_axis = {panel.axis: panel for panel in chosen if panel.mode == mode}
    axis = _known("axis", against or ("seq" if "seq" in by_axis else "batch"), list(by_axis))
    scale, looks = charts.shared_scale(chosen), series.looks(newest)
    return drawn.of_panel(by_axis[axis], scale, looks, members)


def _newest(frame: pd.DataFrame) -> list[Row]:
    """The rows that count.

    Raises:
        UsageError: there are none.
    """
    if frame.empty:
        raise UsageError("the frame holds no rows, so there is nothing to draw")
    return rows.newest(frame)


def _known(kind: str, name: str, known: Sequence[str]) -> str:
    check_known(kind, [name], list(dict.fromkeys(known)))
    return name


def _one(kind: str, found: Iterable[str], remedy: str = _FILTER) -> str:
    """The only one there is.

    Raises:
        UsageError: there are several.
    """
    first, *others = dict.fromkeys(found)
    if others:
        listed = "; ".join([first, *others])
        raise UsageError(f"the frame holds more than one {kind} ({listed}): {remedy}")
    return first
