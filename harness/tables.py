"""Tables of the report for a notebook: figures that can be reckoned with, shown with their units.

    import harness

    harness.tables.latency(harness.load("results"))  # at the end of a cell
    harness.tables.frameworks(harness.load("results")).data  # a DataFrame, times in seconds

Each function returns a `pandas.io.formats.style.Styler`. Its ``data`` is a DataFrame: figures in SI
units, NaN where there is none, and text where the report has text; what is shown is the report's,
interval included. Names are escaped, so none of them is markup. Of a case that was measured again
the later run counts.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import compare
from harness.report import legend, ratios, results, rows
from harness.report.rows import Row
from harness.report.table import Cell, Table, Tone
from harness.report.text import printable
from harness.types import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler

__all__ = ["cases", "failures", "frameworks", "latency", "warnings"]

_LOOKS: dict[Tone, str] = {
    "": "",
    "good": "color: color-mix(in srgb, #10845a 70%, currentcolor);",
    "bad": "color: color-mix(in srgb, #d0432f 70%, currentcolor); font-weight: 600;",
    "muted": "opacity: 0.65;",
}
"""No one colour has a contrast of 4.5 (WCAG 2.2, 1.4.3) with white and with the #111111 of a dark
notebook. Mixed with the text's own colour, dark in the one and light in the other, each has."""


def latency(frame: pd.DataFrame) -> Styler:
    """Median latency of a call, a line a layer, mode and size, a column a framework.

        harness.tables.latency(frame[frame["layer"] == "lstm"])

    Raises:
        UsageError: the frame holds no rows.
    """
    newest = _newest(frame)
    told = ["Median of a call, its interval in brackets.", legend.INTERVAL]
    caption = " ".join([*told, *legend.explained(newest)])
    return _styled(results.latency(newest, with_layer=True), caption)


def frameworks(frame: pd.DataFrame) -> Styler:
    """Ratios of time between frameworks, geometric means over the cases that both measured.

        harness.tables.frameworks(frame).data.query("Layer == 'lstm'")

    Raises:
        UsageError: the frame holds no rows.
    """
    _newest(frame)
    layers = ratios.by_layer(compare.frameworks(frame))
    return _styled(ratios.frameworks(layers), legend.RATIO)


def failures(frame: pd.DataFrame) -> Styler:
    """The cases that should have given a figure and did not, and why.

    Raises:
        UsageError: the frame holds no rows.
    """
    return _styled(results.failures(_newest(frame)))


def warnings(frame: pd.DataFrame) -> Styler:
    """Each warning once, the commonest first, with the cases that carry it.

    Raises:
        UsageError: the frame holds no rows.
    """
    return _styled(results.warnings(_newest(frame)))


def cases(frame: pd.DataFrame) -> Styler:
    """Every case with all of its figures.

        harness.tables.cases(frame).data.sort_values("Peak memory")

    Raises:
        UsageError: the frame holds no rows.
    """
    return _styled(results.every_row(_newest(frame)))


def _newest(frame: pd.DataFrame) -> list[Row]:
    if frame.empty:
        raise UsageError("the frame holds no rows, so there is nothing to show")
    return rows.newest(frame)


def _styled(table: Table, caption: str = "") -> Styler:
    """The table as a DataFrame that looks as the report does, and below it what its marks mean."""
    data = _data(table)
    looks = [list(map(_look, row, table.numeric)) for row in table.rows]
    styler = data.style.hide(axis="index").format_index(_escaped, axis="columns")
    if caption:
        props = "caption-side: bottom; text-align: left"
        styler = styler.set_caption(_escaped(caption))
        styler = styler.set_table_styles([{"selector": "caption", "props": props}])
    for number, name in enumerate(data.columns):
        cells = [row[number] for row in table.rows]
        for places, show in _shown(cells, numeric=table.numeric[number]):
            styler = styler.format(show, subset=(places, [name]))
    return styler.apply(lambda _: np.array(looks), axis=None)


def _look(cell: Cell, numeric: bool) -> str:
    return f"text-align: {'right' if numeric else 'left'}; {_LOOKS[cell.tone]}"


def _data(table: Table) -> pd.DataFrame:
    """Figures as floats, counts that are all known as integers, whatever else as text."""
    import pandas as pd

    def column(number: int, *, numeric: bool) -> pd.Series[Any]:
        cells = [row[number] for row in table.rows]
        if not numeric:
            return pd.Series([cell.text for cell in cells], dtype="str")
        figures = [cell.value for cell in cells]
        counts = all(isinstance(figure, int) for figure in figures)
        return pd.Series(figures, dtype="int64" if counts else "float64")

    each = enumerate(zip(table.header, table.numeric, strict=True))
    return pd.DataFrame({name: column(number, numeric=numeric) for number, (name, numeric) in each})


def _shown(cells: list[Cell], *, numeric: bool) -> list[tuple[list[int], Callable[[Any], str]]]:
    """How the values of a column are shown: rows, and the text of each of their values.

    A Styler formats a value without knowing its row. Nearly all texts follow from the value; those
    of what is missing, and of figures that are equal but are told differently, do not, and are set
    for their rows.
    """
    texts: dict[Any, str] = {}
    apart: dict[str, list[int]] = {}
    for index, cell in enumerate(cells):
        value = cell.value if numeric else cell.text
        if value is None or texts.setdefault(value, cell.text) != cell.text:
            apart.setdefault(cell.text, []).append(index)
    alike = sorted(set(range(len(cells))).difference(*apart.values()))
    found: list[tuple[list[int], Callable[[Any], str]]] = []
    if alike:
        found.append((alike, lambda value: _escaped(texts[value])))
    found += [(indices, _always(_escaped(text))) for text, indices in apart.items()]
    return found


def _always(text: str) -> Callable[[Any], str]:
    return lambda _: text


def _escaped(text: object) -> str:
    return html.escape(printable(str(text)))
