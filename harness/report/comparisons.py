"""How the other configurations do against one, drawn: a forest plot a mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from harness import compare, units
from harness.report import forest, ratios, rows
from harness.report.canvas import Style
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
    means = compare.records(ratios.together(pairs, "mode"))
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in compare.records(ratios.by_layer(pairs)):
        groups.setdefault(_sides(row), []).append(row)
    for number, (sides, group) in enumerate(groups.items()):
        machine, device, base = sides
        suffix = rows.machine_suffix(machine, one_machine=one_machine)
        others = {name: looks[name + suffix] for name in dict.fromkeys(r["other"] for r in group)}
        key = f"forest{number}"
        together = [mean for mean in means if _sides(mean) == sides]
        yield Comparison(
            heading=f"Time relative to {base} on {device}{suffix}",
            key=swatches(others, others, key),
            charts=tuple(_by_mode(group, together, others, key)),
        )


def _sides(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["machine_id"], row["device"], row["base"]


def _by_mode(
    group: Sequence[Mapping[str, Any]],
    means: Sequence[Mapping[str, Any]],
    others: Mapping[str, Style],
    key: str,
) -> Iterator[Figure]:
    limits = forest.shared_limits(group)
    for index, mode in enumerate(dict.fromkeys(row["mode"] for row in group)):
        members = forest.fastest_first([row for row in group if row["mode"] == mode])
        together = [mean for mean in means if mean["mode"] == mode]
        figures = "; ".join(
            f"{row['layer']}, {row['other']}: {units.ratio(row['ratio'])}" for row in members
        )
        description = f"Time ratios by layer, {mode}. {figures}."
        drawn = forest.forest(members, together, limits, others, f"{key}-{index}", description)
        yield Figure(mode, Markup(drawn), mode=mode)
