"""What the way back costs: time backward over forward, or of training where that alone is known."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness import units
from harness.report import caps, charts, facets, forest, series
from harness.report.canvas import Style
from harness.report.choose.matching import alike, place, ratio_cell, time_ratio
from harness.report.page import Figure
from harness.report.results import latency_cell
from harness.report.rows import NOT_MEASURED, Row, by_layer, ordered_series
from harness.report.table import Cell, Table
from harness.stats import Interval, mean_ratio

_BACK = ("backward", "train")
"""The modes that are held against forward; the first that there is counts."""
SIDES = ("less", "more than forward")
"""What lies left and right of 1 in a drawing."""


@dataclass(frozen=True)
class Pair:
    """One size of a layer in one framework and execution."""

    forward: Row
    back: Row

    @property
    def ratio(self) -> Interval | None:
        """Time of the way back over time forward."""
        return time_ratio(self.back, self.forward)

    @property
    def size(self) -> tuple[Hashable, ...]:
        return self.forward.params, self.forward.batch, self.forward.seq


@dataclass(frozen=True)
class Mean:
    """The geometric mean over the sizes that all series of a layer have in common."""

    layer: str
    series: str
    ratio: Interval
    sizes: int


@dataclass(frozen=True)
class Block:
    """All of one device, dtype and thread count of a machine.

    Attributes:
        mode: that is held against forward.
        place: where it was measured.
        key: unique in the page.
        pairs: with one of the two measured at least.
        means: of every layer that has one.
        looks: of every series.
        most: pairs that are listed.
    """

    mode: str
    place: str
    key: str
    pairs: tuple[Pair, ...]
    means: tuple[Mean, ...]
    looks: Mapping[str, Style]
    most: int

    @property
    def title(self) -> str:
        return f"{self.mode.capitalize()} over forward, {self.place}"

    @property
    def table(self) -> Table:
        """A line a layer and series."""
        return Table.of(
            ("Layer", "Framework", self._ratio, "Sizes"),
            (
                [
                    mean.layer,
                    mean.series,
                    Cell(_text(mean.ratio), mean.ratio.value),
                    Cell(str(mean.sizes), mean.sizes),
                ]
                for mean in self.means
            ),
            ({"layer": facets.lines([mean.layer])} for mean in self.means),
        )

    @property
    def every_size(self) -> Table:
        """A line a pair, as far as they can be listed."""
        header = ("Layer", "Framework", "Parameters", "Size", "Forward", self.mode.capitalize())
        return Table.of(
            (*header, self._ratio),
            (
                [
                    pair.forward.layer,
                    pair.forward.series,
                    pair.forward.params,
                    pair.forward.shape,
                    latency_cell(pair.forward),
                    latency_cell(pair.back),
                    ratio_cell(pair.back, pair.forward),
                ]
                for pair in self._listed
            ),
            (facets.of((pair.forward, pair.back)) for pair in self._listed),
        )

    @property
    def facets(self) -> dict[str, str]:
        """What all of it can be narrowed by; see `harness.report.facets`."""
        found = facets.of(pair.forward for pair in self.pairs)
        return {name: found[name] for name in ("device", "dtype")}

    @property
    def _listed(self) -> tuple[Pair, ...]:
        layers = [pair.forward.layer for pair in self.pairs]
        return tuple(self.pairs[place] for place in caps.spread(layers, self.most))

    @property
    def unlisted(self) -> int:
        return max(0, len(self.pairs) - self.most)

    @property
    def remarks(self) -> list[str]:
        """Layers of which no mean can be told."""
        told = {mean.layer for mean in self.means}
        layers = dict.fromkeys(pair.forward.layer for pair in self.pairs)
        return [
            f"{layer} has no mean: there is no size at which all of its frameworks have both."
            for layer in layers
            if layer not in told
        ]

    @property
    def swatches(self) -> list[Figure]:
        return [
            Figure(name, Markup(charts.swatch(style, f"{self.key}-key{index}")))
            for index, (name, style) in enumerate(self.shown.items())
        ]

    @property
    def ratios(self) -> list[Mapping[str, Any]]:
        """The means as `harness.report.forest` takes them, the cheapest way back first."""
        return forest.fastest_first(
            [
                {
                    "layer": mean.layer,
                    "other": mean.series,
                    "ratio": mean.ratio.value,
                    "ratio_low": mean.ratio.low,
                    "ratio_high": mean.ratio.high,
                    "cases": mean.sizes,
                }
                for mean in self.means
            ]
        )

    @property
    def chart(self) -> Markup | None:
        """The means with their intervals, a line a layer."""
        means = self.means
        if not means:
            return None
        drawn = self.ratios
        told = "; ".join(f"{m.layer}, {m.series}: {units.ratio(m.ratio.value)}" for m in means)
        svg = forest.forest(
            drawn,
            (),
            forest.shared_limits(drawn),
            self.shown,
            self.key,
            f"{self.title}, by layer. {told}.",
            sides=SIDES,
        )
        return Markup(svg)

    @property
    def _ratio(self) -> str:
        return f"{self.mode.capitalize()} / forward"

    @property
    def shown(self) -> dict[str, Style]:
        """How each series of the means looks."""
        shown = {mean.series for mean in self.means}
        return {name: style for name, style in self.looks.items() if name in shown}


def blocks(newest: Sequence[Row]) -> list[Block]:
    """One for each place and mode; none where no layer was measured both ways."""
    tried = [row for row in newest if row.status not in NOT_MEASURED]
    looks = series.looks(newest)
    found: dict[tuple[str, str], list[Pair]] = {}
    for members in alike(tried, "params", "mode", "batch", "seq"):
        modes = {row.mode for row in members}
        back = next((mode for mode in _BACK if mode in modes), "")
        pairs = list(_pairs(members, back))
        if any(pair.ratio for pair in pairs):
            found.setdefault((back, place(members[0])), []).extend(pairs)
    most = caps.PAIRS // max(len(found), 1)
    return [
        Block(mode, where, f"directions{index}", tuple(pairs), tuple(_means(pairs)), looks, most)
        for index, (mode, where) in enumerate(sorted(found))
        for pairs in [_ordered(found[mode, where])]
    ]


def _pairs(members: Sequence[Row], back: str) -> Iterator[Pair]:
    for same in alike(members, "mode"):
        by_mode = {row.mode: row for row in same}
        if "forward" in by_mode and back in by_mode:
            pair = Pair(by_mode["forward"], by_mode[back])
            if pair.forward.latency or pair.back.latency:
                yield pair


def _ordered(pairs: Sequence[Pair]) -> list[Pair]:
    """By layer in the order in which they came, then by series, parameters and size."""
    rows = [pair.forward for pair in pairs]
    layers, series = list(by_layer(rows)), ordered_series(rows)
    return sorted(
        pairs,
        key=lambda pair: (
            layers.index(pair.forward.layer),
            series.index(pair.forward.series),
            pair.forward.params,
            pair.forward.batch,
            pair.forward.seq or 0,
        ),
    )


def _means(pairs: Sequence[Pair]) -> Iterator[Mean]:
    ratios: dict[str, dict[str, dict[tuple[Hashable, ...], Interval]]] = {}
    for pair in pairs:
        if pair.ratio is not None:
            of_layer = ratios.setdefault(pair.forward.layer, {})
            of_layer.setdefault(pair.forward.series, {})[pair.size] = pair.ratio
    for layer, by_series in ratios.items():
        common = set.intersection(*(set(of_series) for of_series in by_series.values()))
        for name, of_series in by_series.items():
            if common:
                kept = [ratio for size, ratio in of_series.items() if size in common]
                yield Mean(layer, name, mean_ratio(kept), len(kept))


def _text(ratio: Interval) -> str:
    return units.ratio_interval(ratio.value, ratio.low, ratio.high)
