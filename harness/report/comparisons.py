"""How the other configurations do against one, drawn: a forest plot a mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness import units
from harness.report import forest
from harness.report.canvas import Style
from harness.report.forests import Forest, forests
from harness.report.layers import swatches
from harness.report.page import Figure

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Comparison:
    """All others against one base, on one device of one machine.

    Attributes:
        heading: what against what, and where.
        key: the name of each other with its swatch.
        charts: one a mode.
    """

    heading: str
    key: tuple[Figure, ...]
    charts: tuple[Figure, ...]


def comparisons(
    pairs: pd.DataFrame, looks: Mapping[str, Style], *, one_machine: bool
) -> Iterator[Comparison]:
    """The forest plots of each base, on each device and machine.

    Args:
        pairs: what `harness.compare.frameworks` returns.
        looks: how each series looks.
        one_machine: whether all rows are of one, so that no series names its own.
    """
    found = forests(pairs, one_machine=one_machine)
    groups = groupby(found, key=lambda one: (one.machine, one.device, one.base))
    for number, (_, members) in enumerate(groups):
        modes = list(members)
        first, key = modes[0], f"forest{number}"
        others = {name: looks[name + first.machine] for name in first.others}
        yield Comparison(
            heading=f"Time relative to {first.base} on {first.where}",
            key=swatches(others, others, key),
            charts=tuple(_drawn(one, others, f"{key}-{i}") for i, one in enumerate(modes)),
        )


def _drawn(found: Forest, others: Mapping[str, Style], key: str) -> Figure:
    figures = "; ".join(
        f"{row['layer']}, {row['other']}: {units.ratio(row['ratio'])}" for row in found.ratios
    )
    description = f"Time ratios by layer, {found.mode}. {figures}."
    svg = forest.forest(found.ratios, found.means, found.limits, others, key, description)
    return Figure(found.mode, Markup(svg), mode=found.mode)
