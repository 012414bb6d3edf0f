"""Which forest plots there are: one a machine, device, base and mode; `forest` draws them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import compare
from harness.report import ratios
from harness.report.forest import fastest_first, shared_limits
from harness.report.rows import machine_suffix, mode_order

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Forest:
    """Ratios of time to one base.

    Attributes:
        machine: what names it after a framework; empty if there is one only.
        base: the configuration that is 1.00.
        others: what is held against it in any mode.
        ratios: rows of `harness.report.ratios.by_layer`, the fastest layer first.
        means: rows of `harness.report.ratios.together`.
        limits: of the axis, the same in each mode.
    """

    machine: str
    device: str
    base: str
    mode: str
    others: tuple[str, ...]
    ratios: tuple[Mapping[str, Any], ...]
    means: tuple[Mapping[str, Any], ...]
    limits: tuple[float, float]

    @property
    def where(self) -> str:
        """``cpu``, and the machine if there are several."""
        return f"{self.device}{self.machine}"


def forests(pairs: pd.DataFrame, *, one_machine: bool) -> list[Forest]:
    """The plots of each base on each device and machine, one mode after the other.

    Args:
        pairs: what `harness.compare.frameworks` returns.
        one_machine: whether all rows are of one, so that no series names its own.
    """
    means = compare.records(ratios.together(pairs, "mode"))
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in compare.records(ratios.by_layer(pairs)):
        groups.setdefault(_sides(row), []).append(row)
    return [
        Forest(
            machine=machine_suffix(sides[0], one_machine=one_machine),
            device=sides[1],
            base=sides[2],
            mode=mode,
            others=tuple(dict.fromkeys(str(row["other"]) for row in group)),
            ratios=tuple(fastest_first([row for row in group if row["mode"] == mode])),
            means=tuple(m for m in means if _sides(m) == sides and m["mode"] == mode),
            limits=shared_limits(group),
        )
        for sides, group in groups.items()
        for mode in sorted({row["mode"] for row in group}, key=mode_order)
    ]


def _sides(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["machine_id"], row["device"], row["base"]
