"""The outcomes of `layerbench regress` that a report was given, a block each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness import units
from harness.gate.outcome import Outcome
from harness.report import caps
from harness.report.gate import tables, wording
from harness.report.table import Table, Tone


@dataclass(frozen=True)
class Part:
    """The figures with some of the verdicts.

    Attributes:
        title: how many figures of which kind; empty for those that changed, which are not folded.
        table: of the first of them.
        left_out: how many more there are.
    """

    title: str
    table: Table
    left_out: int


@dataclass(frozen=True)
class Block:
    """All of one outcome. Its texts are as they came, and whoever lays them out escapes them."""

    outcome: Outcome

    @property
    def title(self) -> str:
        """``faster-attention against main, 2026-11-20 10:00``."""
        head, base = self.outcome.head, self.outcome.base
        when = self.outcome.started_at.replace("T", " ")[:16]
        return f"{head.given} against {base.given}, {when}"

    @property
    def headline(self) -> str:
        return wording.headline(self.outcome)

    @property
    def tone(self) -> Tone:
        """How the headline should strike the reader."""
        return "bad" if self.outcome.bad or not self.outcome.compared else ""

    @property
    def details(self) -> list[str]:
        return wording.details(self.outcome)

    @property
    def notes(self) -> tuple[str, ...]:
        return self.outcome.notes

    @property
    def parts(self) -> list[Part]:
        """What changed, then all else, in tables."""
        return [
            Part(
                f"{units.count(len(chosen), 'figure')} {name}" if name else "",
                tables.table(chosen[: caps.LISTED]),
                max(0, len(chosen) - caps.LISTED),
            )
            for name, chosen in tables.parts(self.outcome)
        ]

    @property
    def sides(self) -> Table:
        return tables.sides(self.outcome)

    @property
    def machine(self) -> Table:
        return tables.machine(self.outcome)

    @property
    def command(self) -> str:
        """What to type to do it again; empty if what came with it is none of layerbench's."""
        return wording.command(self.outcome)


def section(outcomes: Iterable[Outcome]) -> tuple[Block, ...]:
    """A block an outcome, in the order given."""
    return tuple(map(Block, outcomes))
