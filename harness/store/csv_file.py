"""A frame as a CSV file, and back: what is read is what was written."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import faults
from harness.types import HarnessError

if TYPE_CHECKING:
    import pandas as pd

_LISTS = ("audit", "warnings")


def to_csv(frame: pd.DataFrame) -> str:
    """The frame as CSV: text in quotes, dicts and lists as JSON, what is missing as nothing."""
    plain = frame.copy()
    for name in ("params", *_LISTS):
        if name in plain:
            plain[name] = plain[name].map(json.dumps)
    return plain.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)


def read(path: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """The frame that `to_csv` made a file of.

    Of text nothing is taken for a missing figure, and every figure has all of its digits.

    Args:
        path: of the file.
        columns: `harness.store.COLUMNS` or ``SAMPLE_COLUMNS``, whichever it should hold.

    Raises:
        HarnessError: the file is broken, or holds something else.
    """
    import pandas as pd

    converters: dict[str, Callable[[str], Any]] = {"object": json.loads, "float64": _figure}
    try:
        frame = pd.read_csv(
            path,
            converters={n: converters[kind] for n, kind in columns.items() if kind in converters},
            dtype={n: kind for n, kind in columns.items() if kind not in converters},
            keep_default_na=False,
            na_values={n: [""] for n, kind in columns.items() if kind == "Int64"},
        )
    except (OSError, ValueError) as error:
        raise HarnessError(
            f"{path} is broken ({faults.told(error)}); `layerbench export --format csv=FILE` "
            "writes it anew"
        ) from error
    if missing := [name for name in columns if name not in frame]:
        raise HarnessError(
            f"{path} has no column {missing[0]}; give the folder of the run, or let "
            "`layerbench export --format csv=FILE` write it anew"
        )
    return frame[list(columns)]


def _figure(text: str) -> float:
    """With every digit, which not each version of pandas reads by itself."""
    return float(text) if text else math.nan
