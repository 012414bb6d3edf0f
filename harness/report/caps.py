"""How much of a frame a report shows, and what it says of the rest.

A page that draws a hundred thousand cases is opened by nobody. Sentences, counts and means are of
all rows; charts, tables and single cases are of as many as a browser and a reader can take.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Literal

from harness import units
from harness.report import provenance
from harness.report.provenance import Run
from harness.report.rows import Row, read

if TYPE_CHECKING:
    import pandas as pd

ROWS = 2_000
"""Rows that a page shows, and holds as data, at most; of more the data lie beside it."""
LISTED = 500
"""Failures, or figures of a gate, that a table lists at most."""
PAIRS = 100
"""Pairs of cases of one kind that a page lists at most; each takes some hundred bytes."""
PAGE_BYTES = 3_000_000
"""What a page of a thousand rows stays below."""
ROW_BYTES = 2_750
"""What a row takes in tables, in its card, in pairs and in the data, about."""
DRAWN_BYTES = 270_000
"""For drawings of single layers at least, however many rows there are."""
LENGTHS = 4
"""Settings of attention whose curves over the length are drawn; each takes some fifty kilobytes."""
GRIDS = 24
"""Layers and settings whose speedups are drawn at most; each takes some kilobytes."""
SAMPLES = 8
"""Cases whose samples are drawn at most; each takes some ten kilobytes."""
ROOFLINES = 6
"""Rooflines at most; each takes some ten kilobytes."""
SPARKLINES = 200
"""Cases of a machine whose history is drawn small at most."""
HISTORIES = 40
"""Cases of a machine whose history is drawn large at most; each takes some ten kilobytes."""
RUNS = 100
"""Runs that tables of runs and of ceilings list at most."""


def shown(newest: Sequence[Row]) -> list[Row]:
    """The rows that charts and tables show, in their order.

    Where there are too many, whole units are taken that a chart may need as one: all sizes and
    frameworks of a layer in one setting and mode on one machine. Each layer has its first one
    before any has its second.
    """
    if len(newest) <= ROWS:
        return list(newest)
    layers: dict[str, dict[Hashable, list[int]]] = {}
    for place, row in enumerate(newest):
        unit = (row.machine_id, row.setting, row.mode)
        layers.setdefault(row.layer, {}).setdefault(unit, []).append(place)
    kept: list[int] = []
    for round_of_units in zip_longest(*(of_layer.values() for of_layer in layers.values())):
        for places in filter(None, round_of_units):
            if len(kept) + len(places) <= ROWS:
                kept += places
    return [newest[place] for place in sorted(kept)] or list(newest[:ROWS])


def every(frame: pd.DataFrame, shown: Sequence[Row]) -> Sequence[Row]:
    """What the table of all rows holds: older runs too, unless there is too much of everything."""
    return read(frame) if len(frame) <= ROWS else shown


def room(newest: Sequence[Row]) -> int:
    """Bytes for drawings of single layers: what is left of a page by the figures themselves."""
    return max(DRAWN_BYTES, PAGE_BYTES - ROW_BYTES * len(newest))


def pairs(found: pd.DataFrame, shown: Sequence[Row]) -> pd.DataFrame:
    """Of what `harness.compare.frameworks` found, pairs of cases that are shown; see `spread`."""
    cases = {(row.machine_id, row.case_id) for row in shown}
    base = zip(found["machine_id"], found["base_case"], strict=True)
    kept = found.loc[[case in cases for case in base]]
    return kept.iloc[spread(list(kept["layer"]), PAIRS)]


def spread(layers: Sequence[str], most: int) -> list[int]:
    """The places, rising, of as many lines as are listed, by the layer of each line.

    Where there are too many, the first of each layer come before the second of any.
    """
    seen: Counter[str] = Counter()
    turns = []
    for place, layer in enumerate(layers):
        turns.append((seen[layer], place))
        seen[layer] += 1
    return sorted(place for _, place in sorted(turns)[:most])


def shared(frame: pd.DataFrame, cases: pd.Series[str], sides: Sequence[str]) -> pd.DataFrame:
    """The rows by which machines are held against each other: of as many cases as are shown.

    Where there are too many cases, those that most sides have come first, and of these the first
    of each layer before the second of any.

    Args:
        frame: what `harness.store.load` returns.
        cases: what the comparison takes for the case of each of its rows.
        sides: the columns that tell one side of the comparison from another.
    """
    if len(frame) <= ROWS or cases.nunique() <= ROWS:
        return frame
    had = frame[["layer", *sides]].assign(case=cases).drop_duplicates(["case", *sides])
    found = had.groupby("case", sort=False).agg(layer=("layer", "first"), sides=("layer", "size"))
    found = found.sort_values("sides", ascending=False, kind="stable")
    place = found.groupby(["sides", "layer"]).cumcount()
    found = found.assign(place=place).sort_values(
        ["sides", "place"], ascending=[False, True], kind="stable"
    )
    return frame[cases.isin(found.index[:ROWS])]


def runs(every: Sequence[Run]) -> list[Run]:
    """The latest runs: as many as are listed."""
    return provenance.in_order(every)[-RUNS:] if len(every) > RUNS else list(every)


def failures(newest: Sequence[Row]) -> list[Row]:
    """The first rows that failed: as many as are listed."""
    return list(islice((row for row in newest if row.failed), LISTED))


def of_machines(pairs: pd.DataFrame, shown: Sequence[Row]) -> pd.DataFrame:
    """Of the pairs those, of whatever cases, on machines of which something is shown."""
    return pairs[pairs["machine_id"].isin({row.machine_id for row in shown})]


def notes(
    frame: pd.DataFrame, newest: Sequence[Row], shown: Sequence[Row], runs: Sequence[Run]
) -> list[str]:
    """What is not shown, and where it is; nothing where everything is shown."""
    told = []
    failed = sum(row.failed for row in newest)
    if failed > LISTED:
        told.append(f"Of {failed:,} failures the first {LISTED} are listed; the counts are of all.")
    if len(runs) > RUNS:
        told.append(
            f"Of {len(runs):,} runs the last {RUNS} are listed, with their ceilings and commands."
        )
    if file := data_file(frame, runs):
        left_out = (
            f"Charts, tables and single cases are of {len(shown):,} of {len(newest):,} cases, from "
            f"{_of(shown, newest, 'layer')} and {_of(shown, newest, 'machine')}; sentences, counts "
            "and means are of all."
            if len(shown) < len(newest)
            else "The table of all rows leaves those of earlier runs out."
        )
        told.append(
            f"{left_out} All {len(frame):,} rows are in {file} beside this report, which "
            "`harness.load` reads."
        )
    return told


def _of(shown: Sequence[Row], newest: Sequence[Row], what: Literal["layer", "machine"]) -> str:
    """``12 of 40 layers``."""
    name = "machine_id" if what == "machine" else what
    some, of = (len({getattr(row, name) for row in rows}) for rows in (shown, newest))
    return f"{some} of {units.count(of, what)}" if some < of else units.count(of, what)


def data_file(frame: pd.DataFrame, runs: Sequence[Run]) -> str:
    """The name of the file beside a report that holds all rows; empty where the report does."""
    return f"{provenance.file_name(runs)}.parquet" if len(frame) > ROWS else ""
