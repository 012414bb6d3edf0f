"""The section on choosing by size, direction and execution, whichever way it is laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from harness.report import caps
from harness.report.choose import compiling, directions
from harness.report.choose.compiling import Pair
from harness.report.choose.directions import Block
from harness.report.choose.grids import Grid, grids
from harness.report.rows import Row
from harness.report.table import Table

SPEEDUPS = (
    "Time of the base over that of the other, on the same layer, mode, size, dtype, threads and "
    "parameters: above 1 the other is faster, below 1 slower. Below a speedup stands its 95 % "
    "interval. Hatched speedups may be none, as theirs contains 1; “alone” stands where the base "
    "failed and the other did not. A size of b8 s64 is a batch of 8 with 64 positions each."
)
DIRECTIONS = (
    "Time of a backward pass over that of the forward pass; where no backward pass was measured by "
    "itself, that of training, which is forward, backward and an update in one. Forward is "
    "inference, without gradients. Counted in operations, a backward pass is about two forward "
    "passes and training about three. Means are geometric, over those sizes of a layer at which "
    "all of its frameworks have both. Brackets hold 95 % intervals."
)
COMPILING = (
    "The same case, eager and compiled by one version of a framework; brackets hold 95 % "
    "intervals. The extra first call is the first call compiled, with its tracing and compiling, "
    "less the first call eager. Compiling has paid after as many further calls as make up for it: "
    "the extra first call over what a call saves, with the interval that the two latencies leave "
    "it. First calls are one reading each, of the first pass: what a process compiles first also "
    "bears the loading of the compiler, and a compiler that finds an earlier run's work in its "
    "cache is quicker. “Never” stands where a compiled call takes longer, “at once” where it takes "
    "less and the first one no longer, “cannot be told” where the intervals leave that open."
)


@dataclass(frozen=True)
class Section:
    """What is told beside the figures of each layer.

    Attributes:
        grids: speedups over batch size and sequence length, as many as are drawn.
        more_grids: whether there are more of them.
        directions: the way back against the way forward.
        compiled: each case that was tried eager and compiled.
    """

    grids: tuple[Grid, ...]
    more_grids: bool
    directions: tuple[Block, ...]
    compiled: tuple[Pair, ...]
    speedups_are: str = SPEEDUPS
    directions_are: str = DIRECTIONS
    compiling_is: str = COMPILING

    def __bool__(self) -> bool:
        return bool(self.grids or self.directions or self.compiled)

    @property
    def gains(self) -> list[str]:
        """What compiling comes to, in sentences."""
        return list(compiling.sentences(self.compiled))

    @property
    def compiling(self) -> Table:
        """The cases that were tried both ways, as far as they can be listed."""
        return compiling.table(self.compiled[: caps.PAIRS])

    @property
    def unlisted(self) -> int:
        return max(0, len(self.compiled) - caps.PAIRS)


def section(newest: Sequence[Row]) -> Section:
    """What can be told of these rows beside each layer's own figures; nothing of one size alone."""
    drawn = list(islice(grids(newest), caps.GRIDS + 1))
    return Section(
        tuple(drawn[: caps.GRIDS]),
        len(drawn) > caps.GRIDS,
        tuple(directions.blocks(newest)),
        tuple(compiling.pairs(newest)),
    )
