"""The rooflines of a report, whichever way they are laid out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from harness.report import caps
from harness.report.canvas import VARIABLES, Style
from harness.report.page import Figure
from harness.report.provenance import Run
from harness.report.roofline.chart import chart_figure, description
from harness.report.roofline.points import rooflines
from harness.report.rows import Row
from harness.report.svg import to_svg


def drawings(
    newest: Sequence[Row], runs: Sequence[Run], looks: Mapping[str, Style]
) -> list[Figure]:
    """One a machine, setting and mode, as many as a page holds."""
    return [
        Figure(
            f"{found.machine}, {found.mode}",
            Markup(
                to_svg(
                    chart_figure(found, looks), f"roofline{index}", description(found), VARIABLES
                )
            ),
            found.setting,
            found.mode,
        )
        for index, found in enumerate(rooflines(newest, runs)[: caps.ROOFLINES])
    ]
