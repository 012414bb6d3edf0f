"""Frames as Parquet files: written with what they were made from, and many of them read as one."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness import faults, files, stats, types, units
from harness.damage import Damage, LostLines, tell
from harness.store import claims, sound
from harness.store.journal import JOURNAL_FILE, RUN_FILE, check_schema
from harness.store.lines import loads
from harness.types import SCHEMA_VERSION, HarnessError, Status

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

Objects: TypeAlias = NDArray[np.object_]
Columns: TypeAlias = "Mapping[str, pa.ChunkedArray | Objects]"
"""Of one file, by name."""

_SCHEMA_KEY, _SOURCE_KEY = b"layerbench_schema", b"layerbench_source"
_DAMAGE_KEY = b"layerbench_damage"
_ENDS = 2**16
"""Bytes at either end of a file that tell whether it is another one; a journal only grows."""


def source(folder: Path) -> str:
    """Changes when the run's plan, its journal or the code that makes rows of them changes.

    Files are told apart by their size and their ends, as a journal may hold gigabytes.
    """
    digest = hashlib.sha256(_code())
    for name in (RUN_FILE, JOURNAL_FILE):
        path = folder / name
        size = path.stat().st_size if path.is_file() else 0  # else whoever reads it says so
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


def made_from(path: Path) -> str:
    """What `source` gave when the file was made; empty if it was not made of a sound run.

    Raises:
        HarnessError: it is broken, newer, or not of layerbench.
    """
    with _opened(path) as file:
        return _marks(path, file).get(_SOURCE_KEY, b"").decode(errors="replace")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    """The file, whose every page is held to its checksum.

    Raises:
        HarnessError: it is broken.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        files.check(path)
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except (OSError, pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise HarnessError(
            f"{path} is broken ({faults.words(error)}); "
            "`layerbench collect` writes it anew from the journal"
        ) from error


def _marks(path: Path, file: pq.ParquetFile) -> Mapping[bytes, bytes]:
    """What `to_parquet` noted in the file."""
    marks: Mapping[bytes, bytes] = file.schema_arrow.metadata or {}
    if _SCHEMA_KEY not in marks:
        raise HarnessError(f"{path} was not written by layerbench")
    check_schema(path, int(marks[_SCHEMA_KEY]))
    return marks


def to_parquet(frame: pd.DataFrame, made_from: str = "", damage: Damage | None = None) -> bytes:
    """The frame as the content of a Parquet file.

    Args:
        frame: with the columns of `harness.store.COLUMNS` or `SAMPLE_COLUMNS`.
        made_from: what `source` gave before the frame was made of a run.
        damage: of that run; whoever reads the file is told of it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if "params" in frame:  # Parquet has no dictionary of mixed values
        frame = frame.assign(params=_texts(frame["params"]))
    table = pa.Table.from_pandas(frame, preserve_index=False)
    marks = {_SCHEMA_KEY: str(SCHEMA_VERSION).encode(), _SOURCE_KEY: made_from.encode()}
    if damage:
        marks[_DAMAGE_KEY] = json.dumps([damage.path.name, damage.what, damage.lines]).encode()
    marked = table.replace_schema_metadata({**(table.schema.metadata or {}), **marks})
    sink = pa.BufferOutputStream()
    pq.write_table(marked, sink, compression="zstd", write_page_checksum=True)
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


def read(path: Path, columns: Mapping[str, str]) -> Columns:
    """The content of a file that `to_parquet` gave, for `joined`; what cannot be is left out.

    Args:
        path: of the file.
        columns: `COLUMNS` or `SAMPLE_COLUMNS`, whichever it should hold.

    Raises:
        HarnessError: it is broken, newer, not of layerbench, or holds something else.
    """
    with _opened(path) as file:
        marks = _marks(path, file)
        if missing := [name for name in columns if name not in file.schema_arrow.names]:
            raise HarnessError(
                f"{path} has no column {missing[0]}; give the folder of the run, or let "
                "`layerbench collect` write it anew from the journal"
            )
        table = _table(path, file.metadata, columns)
        typed = {name: _typed(table.column(name), name, kind) for name, kind in columns.items()}
        if _DAMAGE_KEY in marks:
            name, what, lines = loads(marks[_DAMAGE_KEY])
            told = faults.printable(f"it was made of a damaged {name}: {what}")
            tell(Damage(path, told, int(lines)))
    if not (doubtful := _doubtful(typed)):
        return typed
    lost = LostLines()
    for index in sorted(doubtful):
        lost.add(index + 1, doubtful[index])
    tell(lost.damage(path, table.num_rows, unit="row"))
    kept = np.setdiff1d(np.arange(table.num_rows), [*doubtful])
    return {name: column.take(kept) for name, column in typed.items()}


def _table(path: Path, found: pq.FileMetaData, columns: Iterable[str]) -> pa.Table:
    """The columns of a file, of which no more is unpacked than its size allows for.

    Raises:
        ValueError: it claims more, or contradicts itself.
    """
    import pyarrow.parquet as pq

    claims.check(path, found)
    texts = [found.schema.column(number) for number in range(found.num_columns)]
    by_dictionary = [one.path for one in texts if one.physical_type == "BYTE_ARRAY"]
    with pq.ParquetFile(
        path, metadata=found, read_dictionary=by_dictionary, page_checksum_verification=True
    ) as file:
        table = file.read([*columns])
    claims.check_texts(path, table)
    table.validate(full=True)  # text that is no UTF-8, say
    if table.num_rows != found.num_rows:  # which no checksum covers
        raise ValueError("its numbers of rows differ")
    return table


def joined(parts: Sequence[Columns], columns: Mapping[str, str]) -> pd.DataFrame:
    """One frame of what `read` gave. Rows of a file with equal parameters share one dict."""
    import pandas as pd

    data = {name: _series([part[name] for part in parts], kind) for name, kind in columns.items()}
    return pd.DataFrame(data, copy=False)


def _typed(column: pa.ChunkedArray, name: str, kind: str) -> pa.ChunkedArray | Objects:
    """One column of a file as the type it should have.

    Raises:
        ValueError: it has another, or lacks values.
    """
    import pyarrow as pa

    if (name == "params" or kind in ("str", "int64", "bool")) and column.null_count:
        raise ValueError(f"column {name} lacks values")
    if name == "params":
        return _params(column.cast(pa.large_string()).combine_chunks())
    if kind == "object":
        return _lists(column.cast(pa.list_(pa.string())).combine_chunks())
    stored = {
        "str": pa.large_string(),
        "int64": pa.int64(),
        "Int64": pa.int64(),
        "float64": pa.float64(),
        "bool": pa.bool_(),
    }[kind]
    return column.cast(stored)


def _doubtful(columns: Columns) -> dict[int, str]:
    """Rows that hold what cannot be, by their number from 0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found: dict[int, str] = {}

    def note(name: str, bad: pa.ChunkedArray) -> None:
        for index in np.flatnonzero(bad.to_numpy()):
            value = columns[name][index].as_py()
            found.setdefault(int(index), f"{name} is {faults.shown(value)}")

    for name, column in columns.items():
        if not isinstance(column, pa.ChunkedArray):
            continue
        if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
            least, most = sound.limits(name)
            ends = pc.min_max(column).as_py()
            if ends["min"] is not None and not (least <= ends["min"] <= ends["max"] <= most):
                wrong = pc.or_(pc.less(column, least), pc.greater(column, most))
                note(name, wrong.fill_null(False))
    if "status" in columns:
        known = pa.array([str(status) for status in Status], pa.large_string())
        if not pc.all(pc.is_in(pc.unique(columns["status"]), known)).as_py():
            note("status", pc.invert(pc.is_in(columns["status"], known)))
    return found


def _series(parts: Sequence[Any], kind: str) -> pd.Series[Any]:
    """One column of several files."""
    import pandas as pd
    import pyarrow as pa

    if kind == "object":
        return pd.Series(np.concatenate(parts), dtype="object")
    whole: pd.Series[Any] = pa.chunked_array(
        [chunk for part in parts for chunk in part.chunks], type=parts[0].type
    ).to_pandas()
    # The stubs know dtypes as literals only.
    return whole.astype(kind)  # type: ignore[call-overload,no-any-return]


def _params(texts: pa.Array) -> Objects:
    """Each text is read once, however many rows have it."""
    encoded = texts.dictionary_encode()
    known = np.empty(len(encoded.dictionary), dtype=object)
    for index, text in enumerate(encoded.dictionary.to_pylist()):
        known[index] = loads(text)
        sound.check_params(known[index])
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
