"""What every layout of a report begins with, read from the frame once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import compare
from harness.damage import Damage
from harness.report import caps, rows
from harness.report.rows import Row

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Contents:
    """A frame as reports see it.

    Attributes:
        whole: of each case and machine the row of the latest run; sentences, counts and means are
            of these.
        newest: those of them that charts and tables show; see `harness.report.caps`.
        pairs: what `harness.compare.frameworks` found among them all.
        damage: what is not in the frame, as the file of it is damaged.
    """

    whole: Sequence[Row]
    newest: Sequence[Row]
    pairs: pd.DataFrame
    damage: Sequence[Damage] = ()


def read(frame: pd.DataFrame, damage: Sequence[Damage] = ()) -> Contents:
    """Of a frame as `harness.store.load` returns it, and of what was told meanwhile."""
    latest = compare.latest(frame)
    whole = rows.read(latest)
    return Contents(whole, caps.shown(whole), compare.frameworks(latest), damage)
