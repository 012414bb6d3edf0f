"""Which forest plots there are: one a machine, device, base and mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import compare
from harness.report import forest, rows
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
        layers: the lines of the plot, the same in each mode.
        limits: of the axis, likewise.
    """

    machine: str
    device: str
    base: str
    mode: str
    ratios: tuple[Mapping[str, Any], ...]
    layers: tuple[str, ...]
    limits: tuple[float, float]

    @property
    def others(self) -> tuple[str, ...]:
        """What is held against the base, in any mode's order."""
        return tuple(dict.fromkeys(str(row["other"]) for row in self.ratios))

    @property
    def where(self) -> str:
        """``cpu``, and the machine if there are several."""
        return f"{self.device}{self.machine}"


def forests(layers: pd.DataFrame) -> list[Forest]:
    """The plots of what `harness.report.ratios.by_layer` returns."""
    one_machine = rows.has_one_machine(layers)
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in compare.records(layers):
        groups.setdefault((row["machine_id"], row["device"], row["base"]), []).append(row)
    return [
        Forest(
            machine=rows.machine_suffix(machine, one_machine=one_machine),
            device=device,
            base=base,
            mode=mode,
            ratios=tuple(row for row in group if row["mode"] == mode),
            layers=tuple(dict.fromkeys(row["layer"] for row in group)),
            limits=forest.shared_limits(group),
        )
        for (machine, device, base), group in groups.items()
        for mode in sorted({row["mode"] for row in group}, key=mode_order)
    ]
