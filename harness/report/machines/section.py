"""The section on machines: what it holds, whichever way it is laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.compare import latest, records
from harness.compare.frames import cases_anywhere
from harness.compare.lines import BY_CONFIGURATION, BY_LAYER, Line, lines
from harness.compare.machines import CASE_COLUMNS, Result, against, by_device
from harness.report import caps, provenance, ratios
from harness.report.machines import drawings, tables, wording
from harness.report.machines.drawings import Plot
from harness.report.page import Figure
from harness.report.provenance import Run
from harness.report.summary import together
from harness.report.table import Table
from harness.types import Status

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Section:
    """Results held against one of them.

    Attributes:
        base: what ratios are over.
        others: the others, in order; none if no other shares a case with the base.
        compared: what `harness.compare.machines.against` returns.
        by_layer: the cases that all measured, a line a machine, layer and mode.
        by_configuration: likewise, and a framework, execution, dtype and number of threads.
        apart: results that are left out, a sentence each.
        about_ratios: what a ratio is.
        about_expectations: what is expected, and what defies it.
    """

    base: Result
    others: tuple[Result, ...]
    compared: pd.DataFrame
    by_layer: tuple[Line, ...] = ()
    by_configuration: tuple[Line, ...] = ()
    apart: tuple[str, ...] = ()
    about_ratios: str = wording.RATIO
    about_expectations: str = wording.EXPECTED

    @property
    def title(self) -> str:
        """``gpu-box and arm-box against cpu-box``."""
        return f"{together(other.name for other in self.others)} against {self.base.name}"

    @property
    def runs(self) -> list[Run]:
        """Of all sides, each once."""
        runs = [run for side in (self.base, *self.others) for run in side.runs]
        return [run for index, run in enumerate(runs) if run not in runs[:index]]

    @property
    def software(self) -> dict[str, list[str]]:
        """What differs in software, by what to say before it."""
        return wording.software(self.base, self.others)

    @property
    def hardware(self) -> dict[str, list[str]]:
        """What else differs, likewise."""
        return wording.hardware(self.base, self.others)

    @property
    def verdicts(self) -> dict[str, list[str]]:
        """How each of the others does, by its name."""
        return {
            other.name: wording.verdict(self.base, other, self.compared) for other in self.others
        }

    @property
    def expectations(self) -> str:
        """How many layers defy what the ceilings let expect."""
        return wording.expectations(self.by_configuration)

    @property
    def defying(self) -> Table:
        return tables.defying(self.by_configuration)

    @property
    def layers(self) -> Table:
        return tables.layers(self.by_layer)

    @property
    def configurations(self) -> Table:
        return tables.configurations(self.by_configuration)

    def worst(self, most: int) -> Table:
        """Cases and other results, the worst first, at most so many."""
        return ratios.runs(self.compared, most=most)

    @property
    def worst_cases(self) -> Table:
        """As many of them as a page can bear."""
        return self.worst(caps.PAIRS)

    @property
    def worst_cases_title(self) -> str:
        """Whether these are all."""
        whole = len(self.compared)
        if whole <= caps.PAIRS:
            return "Every case, the worst first"
        return f"The worst {caps.PAIRS:,} of {whole:,} cases"

    @property
    def missing(self) -> Table:
        """What cannot be compared."""
        return tables.missing(self.compared, self.base.name)

    @property
    def remarks(self) -> list[str]:
        """What the comparison leaves out, and what it cannot tell."""
        told = wording.only_elsewhere((self.base, *self.others))
        return [*self.apart, *filter(None, [told]), *wording.caveats(self.base, self.others)]

    @property
    def key(self) -> list[Figure]:
        """The name of each of the others with its swatch, where there are several."""
        return drawings.key([other.name for other in self.others])

    @property
    def charts(self) -> list[Figure]:
        """The ratio by layer, a drawing a mode."""
        return drawings.forests(self.plots)

    @property
    def plots(self) -> list[Plot]:
        """What these hold."""
        return drawings.plots(self.by_layer, [other.name for other in self.others])


def compared(results: Sequence[Result], apart: Sequence[str] = ()) -> Section:
    """The first of the results against each of the others.

    Args:
        results: two or more.
        apart: what is left out besides, a sentence each.

    Raises:
        NothingToCompareError: one of the others has no case in common with the first.
        UsageError: a result holds several machines.
    """
    base, *others = results
    cases = against(base, others)
    common = records(cases[cases["common"]])
    return Section(
        base,
        tuple(others),
        cases,
        tuple(lines(common, BY_LAYER)),
        tuple(lines(common, BY_CONFIGURATION)),
        tuple(apart),
    )


def section(frame: pd.DataFrame, runs: Sequence[Run]) -> Section | None:
    """The machines of a frame, or the devices of its only machine, against the first of them.

    Where there are several devices each is a side of its own. A side is left out if it shares no
    case with those before it, or, from the third on, less than half of those that they share: the
    mean of all would be over these few. Of too many cases some of every layer are compared.

    Args:
        frame: what `harness.store.load` returns.
        runs: what the ``run.json`` of each of its runs holds.
    """
    import pandas as pd

    if frame.empty:
        return None
    some, sides = _sides(frame, runs)
    if len(sides) < 2:
        return None
    kept, apart = sides[:1], []
    if len(some) < len(frame):
        apart.append(
            f"Of all cases {caps.ROWS:,} are compared here, first those that most sides have, and "
            "of these some of every layer."
        )
    if gone := [
        name for name in frame["machine_id"].unique() if name not in set(some["machine_id"])
    ]:
        apart.append(f"{together(gone)} measured none of them, and so cannot be compared.")
    common = _measured(sides[0])
    for side in sides[1:]:
        shared = common & _measured(side)
        if not shared or (len(kept) > 1 and 2 * len(shared) < len(common)):
            apart.append(
                f"{side.name} is left out: it measured {len(shared)} of the {len(common)} cases "
                f"that {together(one.name for one in kept)} measured."
            )
            continue
        kept.append(side)
        common = shared
    if len(kept) < 2:
        nothing = pd.DataFrame(columns=list(CASE_COLUMNS)).astype({"common": bool})
        return Section(kept[0], (), nothing, apart=tuple(apart))
    return compared(kept, apart)


def _sides(frame: pd.DataFrame, runs: Sequence[Run]) -> tuple[pd.DataFrame, list[Result]]:
    """The rows that are compared, and the sides that they are of.

    One device alone is part of what a case is; of several each is a side.
    """
    across = len(frame["device"].unique()) > 1
    some = caps.shared(
        frame,
        cases_anywhere(frame) if across else frame["case_id"],
        ("machine_id", "device", "threads") if across else ("machine_id",),
    )
    machines = [
        Result(
            str(machine),
            some[some["machine_id"] == machine],
            [run for run in runs if provenance.machine_id(run) == str(machine)],
        )
        for machine in some["machine_id"].unique()
    ]
    return some, by_device(machines) if across else machines


def _measured(side: Result) -> set[str]:
    newest = latest(side.frame)
    measured = (newest["status"] == Status.OK) & newest["latency_s"].notna()
    return set(newest.loc[measured, "case_id"])
