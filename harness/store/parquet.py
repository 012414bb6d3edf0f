"""Frames as Parquet files: written with what they were made from, and many of them read as one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness import stats, types, units
from harness.store.journal import JOURNAL_FILE, RUN_FILE, check_schema
from harness.types import SCHEMA_VERSION, HarnessError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Objects: TypeAlias = NDArray[np.object_]

_SCHEMA_KEY, _SOURCE_KEY = b"layerbench_schema", b"layerbench_source"
_ENDS = 2**16
"""Bytes at either end of a file that tell whether it is another one; a journal only grows."""


def source(folder: Path) -> str:
    """Changes when the run's plan, its journal or the code that makes rows of them changes.

    Files are told apart by their size and their ends, as a journal may hold gigabytes.
    """
    digest = hashlib.sha256(_code())
    for name in (RUN_FILE, JOURNAL_FILE):
        path = folder / name
        size = path.stat().st_size if path.exists() else 0
        digest.update(f"{name} {size}\n".encode())
        if size:
            with path.open("rb") as file:
                digest.update(file.read(_ENDS))
                file.seek(max(0, size - _ENDS))
                digest.update(file.read())
    return digest.hexdigest()


@cache
def _code() -> bytes:
    """Of all modules that figures and sentences of a row come from."""
    beside = sorted(Path(__file__).parent.glob("*.py"))
    below = [Path(str(module.__file__)) for module in (stats, types, units)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in (*beside, *below))).digest()


def is_current(path: Path) -> bool:
    """Whether it holds what the run in its folder would give now."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        known = (pq.read_schema(path).metadata or {}).get(_SOURCE_KEY)
    except (OSError, pa.ArrowException):
        return False
    return known is not None and known.decode(errors="replace") == source(path.parent)


def to_parquet(frame: pd.DataFrame, made_from: str = "") -> bytes:
    """The frame as the content of a Parquet file.

    Args:
        frame: with the columns of `harness.store.COLUMNS` or `SAMPLE_COLUMNS`.
        made_from: what `source` gave before the frame was made of a run.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if "params" in frame:  # Parquet has no dictionary of mixed values
        frame = frame.assign(params=_texts(frame["params"]))
    table = pa.Table.from_pandas(frame, preserve_index=False)
    marks = {_SCHEMA_KEY: str(SCHEMA_VERSION).encode(), _SOURCE_KEY: made_from.encode()}
    marked = table.replace_schema_metadata({**(table.schema.metadata or {}), **marks})
    sink = pa.BufferOutputStream()
    pq.write_table(marked, sink, compression="zstd")
    return bytes(sink.getvalue())


def _texts(params: Iterable[Mapping[str, Any]]) -> list[str]:
    """As JSON; what rows share is written once."""
    known: dict[int, str] = {}
    texts = []
    for one in params:
        if id(one) not in known:
            known[id(one)] = json.dumps(one)
        texts.append(known[id(one)])
    return texts


def read(paths: Sequence[Path], columns: Mapping[str, str]) -> pd.DataFrame:
    """One frame of the files that `to_parquet` gave the content of.

    Rows of a file with equal parameters share one dict.

    Args:
        paths: one or more.
        columns: `COLUMNS` or `SAMPLE_COLUMNS`, whichever they should hold.

    Raises:
        HarnessError: a file is broken, newer, not of layerbench, or holds something else.
    """
    import pandas as pd

    tables = [_table(path, columns) for path in paths]
    data = {
        name: _series([table.column(name) for table in tables], name, kind)
        for name, kind in columns.items()
    }
    return pd.DataFrame(data, copy=False)


def _table(path: Path, columns: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema = (file.schema_arrow.metadata or {}).get(_SCHEMA_KEY)
            if schema is None:
                raise HarnessError(f"{path} was not written by layerbench")
            check_schema(path, int(schema))
            table = file.read()
    except (OSError, pa.ArrowException) as error:
        raise HarnessError(
            f"{path} is broken ({str(error).splitlines()[0]}); "
            "`layerbench collect` writes it anew from the journal"
        ) from error
    if missing := [name for name in columns if name not in table.column_names]:
        raise HarnessError(
            f"{path} has no column {missing[0]}; give the folder of the run, or let "
            "`layerbench collect` write it anew from the journal"
        )
    return table


def _series(parts: Sequence[pa.ChunkedArray], name: str, kind: str) -> pd.Series[Any]:
    """One column of several files."""
    import pandas as pd
    import pyarrow as pa

    if kind == "object":
        objects: Callable[[pa.Array], Objects] = _params if name == "params" else _lists
        found = np.concatenate([objects(part.combine_chunks()) for part in parts])
        return pd.Series(found, dtype="object")
    stored = {
        "str": pa.large_string(),
        "int64": pa.int64(),
        "Int64": pa.int64(),
        "float64": pa.float64(),
        "bool": pa.bool_(),
    }[kind]
    chunks = [chunk for part in parts for chunk in part.cast(stored).chunks]
    whole: pd.Series[Any] = pa.chunked_array(chunks, type=stored).to_pandas()
    # The stubs know dtypes as literals only.
    return whole.astype(kind)  # type: ignore[call-overload,no-any-return]


def _params(texts: pa.Array) -> Objects:
    """Each text is read once, however many rows have it."""
    encoded = texts.dictionary_encode()
    known = np.empty(len(encoded.dictionary), dtype=object)
    for index, text in enumerate(encoded.dictionary.to_pylist()):
        known[index] = json.loads(text)
    found: Objects = known[encoded.indices.to_numpy(zero_copy_only=False)]
    return found


def _lists(lists: pa.Array) -> Objects:
    """A list of its own for each row; of nearly all rows it is empty."""
    found = np.fromiter(([] for _ in range(len(lists))), dtype=object, count=len(lists))
    if not len(lists):  # of no lists the type is not known
        return found
    filled = np.flatnonzero(lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False))
    for index, texts in zip(filled, lists.take(filled).to_pylist(), strict=True):
        found[index] = texts
    return found
