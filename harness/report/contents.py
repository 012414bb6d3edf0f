"""What every layout of a report begins with, read from the frame and its runs once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import compare
from harness.damage import Damage
from harness.report import budgets, caps, rows
from harness.report.attention import section as attention
from harness.report.history import section as history
from harness.report.machines import section as machines
from harness.report.provenance import Run
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
        histories: of the machines with runs enough; they take the longest to find.
        sides: the machines or devices held against each other, if there are several.
        attention: what ways to attend come to.
        budgets: of models, what each of their layers takes.
        damage: what is not in the frame, as the file of it is damaged.
    """

    whole: Sequence[Row]
    newest: Sequence[Row]
    pairs: pd.DataFrame
    histories: Sequence[history.Block]
    sides: machines.Section | None
    attention: attention.Section
    budgets: Sequence[budgets.Budget]
    damage: Sequence[Damage] = ()


def read(frame: pd.DataFrame, runs: Sequence[Run], damage: Sequence[Damage] = ()) -> Contents:
    """Of a frame as `harness.store.load` returns it, its runs, and what was told meanwhile.

    The runs are as `harness.store.load_runs` returns them.
    """
    latest = compare.latest(frame)
    whole = rows.read(latest)
    newest = caps.shown(whole)
    return Contents(
        whole,
        newest,
        compare.frameworks(latest),
        history.section(frame, runs),
        machines.section(frame, runs),
        attention.section(newest),
        budgets.section(frame),
        damage,
    )
