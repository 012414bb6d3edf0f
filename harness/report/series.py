"""How each series of a report looks, the same in every drawing of it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.canvas import Style, styles
from harness.report.rows import Row, ordered_series


def looks(newest: Sequence[Row]) -> dict[str, Style]:
    """A style for each series of these rows."""
    groups = {row.series: (row.source, row.execution) for row in newest}
    return styles({name: groups[name] for name in ordered_series(newest)})
