"""Which forest plots there are: one a machine, device, base and mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import compare
from harness.report import forest, ratios, rows
from harness.report.rows import mode_order

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Forest:
    """Ratios of time to one base.

    Attributes:
        machine: what names it after a framework; empty if there is one only.
        base: the configuration that is 1.00.
        ratios: rows of `harness.report.ratios.by_layer`.
        means: rows of `harness.report.ratios.together`.
        limits: of the axis, the same in each mode.
    """

    machine: str
    device: str
    base: str
    mode: str
    ratios: tuple[Mapping[str, Any], ...]
    means: tuple[Mapping[str, Any], ...]
    limits: tuple[float, float]

    @property
    def others(self) -> tuple[str, ...]:
        """What is held against the base, in any mode's order."""
        return tuple(dict.fromkeys(str(row["other"]) for row in self.ratios))

    @property
    def where(self) -> str:
        """``cpu``, and the machine if there are several."""
        return f"{self.device}{self.machine}"


def forests(pairs: pd.DataFrame) -> list[Forest]:
    """The plots of what `harness.compare.frameworks` returns; the fastest layer of each first."""
    one_machine = rows.has_one_machine(pairs)
    means = compare.records(ratios.together(pairs, "mode"))
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in compare.records(ratios.by_layer(pairs)):
        groups.setdefault(_sides(row), []).append(row)
    return [
        Forest(
            machine=rows.machine_suffix(machine, one_machine=one_machine),
            device=device,
            base=base,
            mode=mode,
            ratios=tuple(forest.fastest_first([row for row in group if row["mode"] == mode])),
            means=tuple(
                row
                for row in means
                if (_sides(row), row["mode"]) == ((machine, device, base), mode)
            ),
            limits=forest.shared_limits(group),
        )
        for (machine, device, base), group in groups.items()
        for mode in sorted({row["mode"] for row in group}, key=mode_order)
    ]


def _sides(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["machine_id"], row["device"], row["base"]
