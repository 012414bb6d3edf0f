"""A frame as one file, Parquet or CSV, and back: what is read is what was written."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import faults
from harness.store.journal import check_schema
from harness.types import SCHEMA_VERSION, HarnessError

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".parquet", ".csv")
"""Of the files that `read` can read."""

_LISTS = ("audit", "warnings")
_SCHEMA_KEY = b"layerbench_schema"


def to_parquet(frame: pd.DataFrame) -> bytes:
    """The frame as a Parquet file; params are JSON in it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    plain = frame.copy()
    if "params" in plain:  # Parquet has no dictionary of mixed values
        plain["params"] = plain["params"].map(json.dumps)
    table = pa.Table.from_pandas(plain, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _SCHEMA_KEY: str(SCHEMA_VERSION).encode()}
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(metadata), sink, compression="zstd")
    return bytes(sink.getvalue())


def to_csv(frame: pd.DataFrame) -> str:
    """The frame as CSV: text in quotes, dicts and lists as JSON, what is missing as nothing."""
    plain = frame.copy()
    for name in ("params", *_LISTS):
        if name in plain:
            plain[name] = plain[name].map(json.dumps)
    return plain.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)


def read(path: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """The frame that `to_parquet` or `to_csv` made a file of, told by its suffix.

    Args:
        path: of the file.
        columns: `harness.store.COLUMNS` or ``SAMPLE_COLUMNS``, whichever it should hold.

    Raises:
        HarnessError: the file is broken, newer, not of layerbench, or holds something else.
    """
    frame = _read_csv(path, columns) if path.suffix == ".csv" else _read_parquet(path)
    if missing := [name for name in columns if name not in frame]:
        raise HarnessError(
            f"{path} has no column {missing[0]}; give the folder of the run, or let "
            "`layerbench collect` write it anew from the journal"
        )
    return frame[list(columns)].astype(
        {name: kind for name, kind in columns.items() if kind != "object"}
    )


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise HarnessError(
            f"{path} is broken ({str(error).splitlines()[0]}); "
            "`layerbench collect` writes it anew from the journal"
        ) from error
    schema = (table.schema.metadata or {}).get(_SCHEMA_KEY)
    if schema is None:
        raise HarnessError(f"{path} was not written by layerbench")
    check_schema(path, int(schema))
    frame: pd.DataFrame = table.to_pandas()
    decoders: dict[str, Callable[[Any], Any]] = dict.fromkeys(_LISTS, list)
    decoders["params"] = json.loads
    for name, decode in decoders.items():
        if name in frame:
            frame[name] = frame[name].map(decode)
    return frame


def _read_csv(path: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """Of text nothing is taken for a missing figure, and every figure has all of its digits."""
    import pandas as pd

    converters: dict[str, Callable[[str], Any]] = {"object": json.loads, "float64": _figure}
    try:
        return pd.read_csv(
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


def _figure(text: str) -> float:
    """With every digit, which not each version of pandas reads by itself."""
    return float(text) if text else math.nan
