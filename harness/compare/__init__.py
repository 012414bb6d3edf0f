"""Sets measured rows against each other: frameworks within a result, or one result with others.

Frames in, frames out; a row of the input is a case as `harness.store.load` gives it.
"""

from harness.compare.frames import configuration, configuration_order, latest, records, values
from harness.compare.pairs import (
    CONDITIONS,
    RUN_COLUMNS,
    Verdict,
    regressions,
    runs,
    summary,
)
from harness.compare.same_work import PAIR_COLUMNS, frameworks

__all__ = [
    "CONDITIONS",
    "PAIR_COLUMNS",
    "RUN_COLUMNS",
    "Verdict",
    "configuration",
    "configuration_order",
    "frameworks",
    "latest",
    "records",
    "regressions",
    "runs",
    "summary",
    "values",
]
