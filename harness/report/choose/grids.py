"""Speedup over the usual base at each batch size and sequence length, for what varies in both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from harness.report import facets
from harness.report.choose.matching import alike, one_build, place, time_ratio
from harness.report.heatmap import HeatCell, HeatLine, HeatMap, cell
from harness.report.rows import NOT_MEASURED, Row, mode_order, ordered_series

_Sizes: TypeAlias = Mapping[tuple[int, int], Row]
"""By batch size and sequence length."""


@dataclass(frozen=True)
class Speedup(HeatMap):
    """A grid of one mode.

    Attributes:
        other: what is held against the base.
    """

    mode: str
    other: str


@dataclass(frozen=True)
class Grid:
    """All of one layer in one setting.

    Attributes:
        setting: as text, where it was measured first.
        facets: what the page can be narrowed by; see `harness.report.facets`.
        maps: by mode, one for each configuration but the base.
    """

    layer: str
    setting: str
    facets: Mapping[str, str]
    maps: tuple[Speedup, ...]


def grids(newest: Sequence[Row]) -> Iterator[Grid]:
    """Those layers of which something can be held against the base over two sizes either way."""
    tried = [row for row in newest if row.seq is not None and row.status not in NOT_MEASURED]
    for members in alike(tried, "mode", "batch", "seq", "framework", "execution"):
        modes = sorted({row.mode for row in members}, key=mode_order)
        maps = [
            drawn
            for mode in modes
            for drawn in _maps(mode, [row for row in members if row.mode == mode])
        ]
        if maps:
            first = members[0]
            setting = ", ".join(filter(None, (place(first), first.params)))
            yield Grid(first.layer, setting, facets.of(members), tuple(maps))


def _maps(mode: str, rows: Sequence[Row]) -> Iterator[Speedup]:
    sizes: dict[str, dict[tuple[int, int], Row]] = {name: {} for name in ordered_series(rows)}
    for row in rows:
        sizes[row.series][row.batch, row.seq or 0] = row
    measured = (name for name in sizes if any(row.latency for row in sizes[name].values()))
    base = next(measured, "")
    batches = _varied(sizes[base]) if base else []
    if len(batches) < 2:
        return
    lengths = sorted({seq for batch, seq in sizes[base] if batch in batches})
    for name in sizes:
        if name != base and any((b, n) in sizes[name] for b in batches for n in lengths):
            lines = tuple(
                HeatLine(f"b{b}", tuple(_cell(sizes[base], sizes[name], (b, n)) for n in lengths))
                for b in batches
            )
            title = f"{mode}: speedup of {name}, {base} = 1"
            yield Speedup(title, "Size", tuple(f"s{n}" for n in lengths), lines, mode, name)


def _varied(sizes: _Sizes) -> list[int]:
    """Batch sizes with two lengths or more; tokens that stay constant leave none of them."""
    lengths: dict[int, set[int]] = {}
    for batch, seq in sizes:
        lengths.setdefault(batch, set()).add(seq)
    return sorted(batch for batch, several in lengths.items() if len(several) > 1)


def _cell(bases: _Sizes, others: _Sizes, size: tuple[int, int]) -> HeatCell:
    base, row = bases.get(size), others.get(size)
    if base is None or row is None or not one_build(row, base):
        return cell(base, None, None)
    speedup = time_ratio(base, row)
    return cell(base, row, speedup)
