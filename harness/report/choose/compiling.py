"""What compiling gains a call, what it costs once, and after how many calls it has paid."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness import units
from harness.report import facets
from harness.report.choose.matching import alike, one_build, ratio_cell
from harness.report.results import latency_cell
from harness.report.rows import (
    NOT_MEASURED,
    Row,
    by_layer,
    mode_order,
    ordered_series,
    setting_text,
    varying_parts,
)
from harness.report.table import Cell, Table
from harness.stats import Interval, difference_interval
from harness.types import EXECUTIONS

EAGER, *_COMPILED = EXECUTIONS


class Outcome(StrEnum):
    """Whether compiling pays."""

    PAYS = "pays"
    AT_ONCE = "at once"
    """Its first call takes no longer than that of eager."""
    NEVER = "never"
    """A compiled call takes longer."""
    OPEN = "cannot be told"
    """The interval of what a call saves contains 0, or a first call is not known."""
    NOT_COMPARED = units.MISSING


@dataclass(frozen=True)
class Pair:
    """One case, eager and compiled."""

    eager: Row
    compiled: Row

    @property
    def saving_s(self) -> Interval | None:
        """Seconds that compiling saves a call."""
        eager, compiled = self.eager.latency, self.compiled.latency
        if eager is None or compiled is None or not one_build(self.eager, self.compiled):
            return None
        return difference_interval(eager, compiled)

    @property
    def extra_s(self) -> float | None:
        """Seconds that the first call took longer compiled: one reading, with no interval."""
        if self.compiled.first_call_s is None or self.eager.first_call_s is None:
            return None
        return self.compiled.first_call_s - self.eager.first_call_s

    @property
    def outcome(self) -> Outcome:
        saving, extra = self.saving_s, self.extra_s
        if saving is None:
            return Outcome.NOT_COMPARED
        if saving.high < 0:
            return Outcome.NEVER
        if saving.low <= 0 or extra is None:
            return Outcome.OPEN
        return Outcome.PAYS if extra > 0 else Outcome.AT_ONCE

    @property
    def calls(self) -> Interval | None:
        """Calls, after the first, by which the savings have made up for the longer first one.

        None where `outcome` is not that it pays.
        """
        saving, extra = self.saving_s, self.extra_s
        if self.outcome is not Outcome.PAYS or saving is None or extra is None:
            return None
        return Interval(extra / saving.value, extra / saving.high, extra / saving.low)


def pairs(newest: Sequence[Row]) -> list[Pair]:
    """Every case that was tried both ways on one machine and measured in one of them at least.

    By layer in the order in which they come, then by mode, setting, size, and execution.
    """
    tried = [row for row in newest if row.status not in NOT_MEASURED]
    layers, series = list(by_layer(tried)), ordered_series(tried)
    found = [
        Pair(by_execution[EAGER], by_execution[execution])
        for same in alike(tried, "execution")
        if EAGER in (by_execution := {row.execution: row for row in same})
        for execution in _COMPILED
        if execution in by_execution
    ]
    return sorted(
        (pair for pair in found if pair.eager.latency or pair.compiled.latency),
        key=lambda pair: (
            layers.index(pair.compiled.layer),
            mode_order(pair.compiled.mode),
            pair.compiled.setting,
            pair.compiled.batch,
            pair.compiled.seq or 0,
            series.index(pair.compiled.series),
        ),
    )


def table(found: Sequence[Pair]) -> Table:
    """A line a pair; of the setting it names what varies within a layer."""
    parts = varying_parts(pair.compiled for pair in found)
    header = ("Layer", "Mode", *(["Setting"] if parts else []), "Size", "Compiled as")
    figures = ("Pays after calls", "Compiled / eager", "Extra first call", "Eager", "Compiled")
    return Table.of(
        (*header, *figures),
        (
            [
                pair.compiled.layer,
                pair.compiled.mode,
                *([setting_text(pair.compiled.setting, parts)] if parts else []),
                pair.compiled.shape,
                pair.compiled.series,
                _calls_cell(pair),
                ratio_cell(pair.compiled, pair.eager),
                Cell(units.seconds(pair.extra_s), pair.extra_s),
                latency_cell(pair.eager),
                latency_cell(pair.compiled),
            ]
            for pair in found
        ),
        (facets.of((pair.eager, pair.compiled)) for pair in found),
    )


def sentences(found: Sequence[Pair]) -> Iterator[str]:
    """What it comes to, for each way of compiling."""
    for series in ordered_series(pair.compiled for pair in found):
        own = [pair for pair in found if pair.compiled.series == series]
        counts = Counter(pair.outcome for pair in own)
        compared = counts.total() - counts[Outcome.NOT_COMPARED]
        if not compared:
            continue
        slower, unknown = counts[Outcome.NEVER], counts[Outcome.OPEN]
        text = (
            f"A call of {series} takes less time than one of {own[0].eager.series} in "
            f"{counts[Outcome.PAYS] + counts[Outcome.AT_ONCE] or 'none'} of "
            f"{units.count(compared, 'case')}"
            f"{f', more in {slower}' if slower else ''}"
            f"{f'; in {unknown} it cannot be told whether compiling pays' if unknown else ''}."
        )
        if calls := sorted(pair.calls.value for pair in own if pair.calls):
            least, middle, most = (
                units.calls(value) for value in (calls[0], statistics.median(calls), calls[-1])
            )
            several = f"{least} to {most} further calls, {middle} in the median case"
            told = several if len(calls) > 1 else f"{least} further calls"
            text += f" Where it pays, it has made up for its longer first call after {told}."
        yield text


def _calls_cell(pair: Pair) -> Cell:
    calls, outcome = pair.calls, pair.outcome
    if calls is not None:
        return Cell(units.calls_interval(calls.value, calls.low, calls.high), calls.value, "good")
    if outcome is Outcome.AT_ONCE:
        return Cell(str(outcome), 0.0, "good")
    return Cell(str(outcome), tone="" if outcome is Outcome.NEVER else "muted")
