"""Makes docs/catalogue.md of the example's results: `python -m tools.catalogue`.

Every layer of the catalogue by family, each in its sizes, side by side in the frameworks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from harness import catalogue, coverage, store, units
from harness.layer import Layer
from harness.ledger import Entry
from harness.report import catalogue as names
from harness.report import provenance, rows
from harness.report.markdown import escape, prose, table
from harness.report.provenance import Run
from harness.report.rows import Row
from harness.report.table import Cell, Table
from harness.types import Status

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path("docs/catalogue.md")
RESULTS = Path("results/example")
TITLE = "# Every layer, timed: PyTorch and TensorFlow (Keras) side by side"
INTRODUCTION = """\
Median time of one call with half of its 95 % interval, for every layer of the catalogue that these
results have: PyTorch and TensorFlow (Keras), run as they stand (eager) and compiled
(`torch.compile`, `tf.function`), forward and in training (forward, backward and an SGD update). In
a shape, b is the batch size and s the sequence length. Each layer was held to a float64 reference
before it was timed, where it has one, so that what stands side by side is the same work. These are
figures of one machine, and how the frameworks compare differs from machine to machine: `make bench`
measures yours. The page is made of `results/example` by `python -m tools.catalogue`.
"""


def render(
    frame: pd.DataFrame,
    runs: Sequence[Run],
    layers: Mapping[str, Layer],
    ledger: Mapping[str, Entry],
) -> str:
    """The page, of a frame as `harness.store.load` returns it."""
    members = rows.newest(frame)
    sentences = names.section(ledger, members).sentences
    blocks = [TITLE, INTRODUCTION.rstrip(), "\n".join(f"* {prose(text)}" for text in sentences)]
    blocks.append(table(provenance.machine_table(runs)))
    families: dict[str, list[Row]] = {}
    for row in members:
        families.setdefault(row.family, []).append(row)
    for family in sorted(families):
        blocks += [
            f"## {escape(family.replace('_', ' '))}",
            table(_family(families[family], layers)),
        ]
    return "\n\n".join(blocks) + "\n"


def _family(members: Iterable[Row], layers: Mapping[str, Layer]) -> Table:
    """A line for each layer, size and mode; a column for each framework and execution."""
    lines: dict[tuple[str, ...], dict[str, Row]] = {}
    for row in sorted(members, key=lambda row: _order(row, layers)):
        line = (row.layer, _size(row, layers.get(row.layer)), row.shape, row.mode)
        lines.setdefault(line, {})[row.series] = row
    series = rows.ordered_series(row for line in lines.values() for row in line.values())
    header = ("Layer", "Size", "Shape", "Mode", *series)
    return Table.of(header, ([*line, *_cells(found, series)] for line, found in lines.items()))


def _order(row: Row, layers: Mapping[str, Layer]) -> tuple[object, ...]:
    layer = layers.get(row.layer)
    presets = [dict(params) for params in layer.presets.values()] if layer else []
    place = presets.index(dict(row.parameters)) if row.parameters in presets else len(presets)
    return row.layer, place, row.params, row.batch, row.seq or 0, rows.mode_order(row.mode)


def _size(row: Row, layer: Layer | None) -> str:
    """What the sizes are called in the catalogue, if they have a name, and what they are."""
    presets = layer.presets.items() if layer else ()
    named = (f"{name}: " for name, params in presets if params == row.parameters)
    return next(named, "") + row.params


def _cells(line: Mapping[str, Row], series: Sequence[str]) -> Iterator[Cell | str]:
    for name in series:
        row = line.get(name)
        if row is None:
            yield ""
        elif row.latency is None:
            yield row.status if row.status != Status.OK else units.MISSING
        else:
            half = row.latency.relative_half_width
            yield f"{units.seconds(row.latency.value)} ±{units.percent(half)}"


def main() -> None:
    """Writes the page."""
    frame, runs = store.load(RESULTS), store.load_runs(RESULTS)
    text = render(frame, runs, catalogue.load(), coverage.own())
    (ROOT / PAGE).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
