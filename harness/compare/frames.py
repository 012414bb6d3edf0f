"""What every comparison takes from a frame: its rows, the latest of each case, and their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from harness.types import EXECUTIONS

if TYPE_CHECKING:
    import pandas as pd

Row: TypeAlias = Mapping[str, Any]

_NAMES = ("layer", "framework", "mode", "execution", "dtype")
"""What a case's id begins with, less the device."""
_THREADS = re.compile(r"-t\d+(?=-|$)")


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dicts by column name."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def values(column: pd.Series[Any]) -> list[Any]:
    """A column as Python's own values, None where one is missing; equal texts are one object."""
    import pandas as pd

    if isinstance(column.dtype, pd.StringDtype):
        codes, known = pd.factorize(column)
        texts = [*known.astype(object), None]  # the code of what is missing is -1
        return [texts[code] for code in codes.tolist()]
    found: list[Any] = column.astype(object).tolist()
    for place in np.flatnonzero(column.isna()):
        found[place] = None
    return found


def latest(frame: pd.DataFrame) -> pd.DataFrame:
    """Of several rows of one case on one machine, the one of the run that started last."""
    if frame.empty:
        return frame
    case = ["machine_id", "case_id"]
    again = frame.duplicated(case, keep=False)
    if not again.any():  # nothing to sort, which takes seconds of a million rows
        return frame
    newest = frame[again].sort_values("started_at", kind="stable", na_position="first")
    older = newest.index[newest.duplicated(case, keep="last")]
    return frame[~frame.index.isin(older)]


def configuration(framework: str, execution: str) -> str:
    """A framework and how it executes: ``tensorflow compiled``."""
    return f"{framework} {execution}"


def configuration_order(framework: str, execution: str) -> tuple[bool, str, int]:
    """Sorts torch, the usual base of a comparison, first, and eager before compiled."""
    rank = EXECUTIONS.index(execution) if execution in EXECUTIONS else len(EXECUTIONS)
    return framework != "torch", framework, rank


def anywhere(row: Row) -> str:
    """The case's id without its device and number of threads: ``lstm/torch/train/…/b32-s128``."""
    shape = _THREADS.sub("", str(row["case_id"]).rpartition("/")[2])
    return "/".join((*(str(row[name]) for name in _NAMES), shape))


def cases_anywhere(frame: pd.DataFrame) -> pd.Series[str]:
    """Of each row what `anywhere` gives, worked out once for each case."""
    once = frame[["case_id", *_NAMES]].drop_duplicates("case_id")
    known = dict(zip(once["case_id"], map(anywhere, records(once)), strict=True))
    return frame["case_id"].map(known)
