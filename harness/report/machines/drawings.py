"""Draws how machines do against the base: forest plots of the ratio by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from harness import units
from harness.compare.lines import Line, devices_apart
from harness.report.canvas import Style, styles
from harness.report.charts import swatch
from harness.report.forest import fastest_first, forest, shared_limits
from harness.report.page import Figure
from harness.report.rows import mode_order


def key(machines: Sequence[str]) -> list[Figure]:
    """The name of each machine with its swatch; none where there is one only."""
    looks = _styles(machines) if len(machines) > 1 else {}
    return [
        Figure(name, Markup(swatch(style, f"machines-key{index}")))
        for index, (name, style) in enumerate(looks.items())
    ]


def forests(lines: Sequence[Line], machines: Sequence[str]) -> list[Figure]:
    """A drawing a mode, and a device where machines have several; the fastest layer first.

    Args:
        lines: one a machine, device, layer and mode.
        machines: the names of all, in order.
    """
    return list(_forests(lines, _styles(machines)))


def _styles(machines: Sequence[str]) -> dict[str, Style]:
    return styles({name: (name, "eager") for name in machines})


def _forests(lines: Sequence[Line], looks: Mapping[str, Style]) -> Iterator[Figure]:
    if not lines:
        return
    limits = shared_limits([_ratio(line) for line in lines])
    apart = devices_apart(lines)
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        group = tuple(line.value(name) for name in (("mode", "device") if apart else ("mode",)))
        groups.setdefault(group, []).append(line)
    in_order = sorted(groups.items(), key=lambda item: (mode_order(item[0][0]), item[0]))
    for index, (group, members) in enumerate(in_order):
        title = ", ".join(group)
        figures = "; ".join(
            f"{line.value('layer')}, {line.value('machine')}: {units.ratio(line.ratio.value)}"
            for line in members
        )
        description = f"Time ratios by layer, {title}. {figures}."
        rows = fastest_first(list(map(_ratio, members)))
        drawing = forest(rows, (), limits, looks, f"machines{index}", description)
        yield Figure(title, Markup(drawing), mode=members[0].value("mode"))


def _ratio(line: Line) -> dict[str, Any]:
    """As `harness.report.forest` takes them."""
    ratio = line.ratio
    return {
        "layer": line.value("layer"),
        "other": line.value("machine"),
        "ratio": ratio.value,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "cases": len(line.cases),
    }
