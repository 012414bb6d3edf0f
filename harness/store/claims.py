"""What a Parquet file would take in memory, found before any of it is unpacked.

A kilobyte may hold a billion equal values, or name a page of two gigabytes: rows are counted in
runs, pages are compressed, and texts are numbers of a dictionary's. The footer's own figures can
be anything, so every page's header is looked at, as it is what the reader goes by. Layout:
https://parquet.apache.org/docs/file-format and apache/parquet-format's ``parquet.thrift``; headers
are in Thrift's compact protocol.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from harness import files, units

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_ALWAYS, _A_BYTE = 2**28, 1000
"""Bytes of memory that any file may take, and those for each of its own. A thousand samples that
are all the same, of a clock for tests, take a byte each or less."""
_A_VALUE = 16
"""Bytes: its own 8, and what says in which list it is."""
_TYPES = ("BOOLEAN", "INT32", "INT64", "FLOAT", "DOUBLE", "BYTE_ARRAY")
_ENCODINGS = (0, 2, 3, 8)
"""Plain, by dictionary (two names), and runs of flags: what is longer unpacked than a page says
is then a dictionary's text only, which `check_texts` is for."""
_LONGEST_HEADER = 2**16
_DEEPEST = 6
_UNPACKED, _PACKED, _DATA, _DICTIONARY, _DATA_2 = 2, 3, 5, 7, 8
"""Fields of a page's header."""
_VALUES = 1
_ENCODING = {_DATA: 2, _DATA_2: 4}
"""Fields of what these hold."""


def check(path: Path, found: pq.FileMetaData) -> None:
    """Holds a file to what `harness.store.parquet.to_parquet` could have made of so many bytes.

    Args:
        path: of the file.
        found: its footer.

    Raises:
        ValueError: it is laid out in another way, or would take far more memory.
    """
    if not str(found.created_by).startswith("parquet-cpp"):  # others may leave gaps to read on in
        raise ValueError("it was made by another program")
    for number in range(found.num_columns):
        if (kind := found.schema.column(number).physical_type) not in _TYPES:
            raise ValueError(f"a column holds {kind}")
    claimed, limit = 0, _limit(path)
    with files.opened(path) as file:
        for group in range(found.num_row_groups):
            for number in range(found.num_columns):
                chunk = found.row_group(group).column(number)
                at = chunk.data_page_offset
                if 0 < (chunk.dictionary_page_offset or 0) < at:
                    at = chunk.dictionary_page_offset
                # Of a chunk without values no page is read, and there need not be any.
                end = at + chunk.total_compressed_size if chunk.num_values > 0 else at
                while at < end:
                    size, claim = _page(file, at)
                    at += size
                    claimed += claim
                    _hold(claimed, limit)


def check_texts(path: Path, table: pa.Table) -> None:
    """Likewise, of texts that are still numbers of their dictionaries'.

    Raises:
        ValueError: written out, they would take far more memory.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    claimed, limit = 0, _limit(path)
    for chunk in (chunk for column in table.columns for chunk in column.chunks):
        texts = chunk.flatten() if pa.types.is_list(chunk.type) else chunk
        if pa.types.is_dictionary(texts.type):
            lengths = pc.binary_length(texts.dictionary).take(texts.indices)
            claimed += pc.sum(lengths.cast(pa.int64())).as_py() or 0
            _hold(claimed, limit)


def _limit(path: Path) -> int:
    return _ALWAYS + _A_BYTE * path.stat().st_size


def _hold(claimed: int, limit: int) -> None:
    if claimed > limit:
        raise ValueError(f"it claims {units.size(claimed)} of memory or more")


def _page(file: BinaryIO, at: int) -> tuple[int, int]:
    """A page's bytes in the file, its header's included, and those that it would take in memory."""
    file.seek(at)
    stream = io.BytesIO(file.read(_LONGEST_HEADER))
    header = _struct(stream, _DEEPEST)
    try:
        packed, unpacked = header[_PACKED], header[_UNPACKED]
        (kind,) = header.keys() & {_DATA, _DICTIONARY, _DATA_2}
        values = header[kind][_VALUES]
        encoding = header[kind][_ENCODING[kind]] if kind in _ENCODING else 0
        if min(packed, unpacked, values) < 0 or encoding not in _ENCODINGS:
            raise ValueError("a page is of a negative size, or encoded in another way")
    except (KeyError, TypeError) as error:
        raise ValueError("a page's header is none") from error
    return stream.tell() + packed, unpacked + values * _A_VALUE


def _struct(stream: BinaryIO, deepest: int) -> dict[int, Any]:
    """The fields of a struct by their numbers; those that are no number or struct as None."""
    if not deepest:
        raise ValueError("a page's header is nested too deep")
    found: dict[int, Any] = {}
    field = 0
    while head := _byte(stream):
        field = field + (head >> 4) if head >> 4 else _integer(stream)
        found[field] = None if head & 15 in (1, 2) else _value(stream, head & 15, deepest)
    return found


def _value(stream: BinaryIO, kind: int, deepest: int) -> Any:
    match kind:
        case 1 | 2 | 3:
            return _byte(stream)
        case 4 | 5 | 6:
            return _integer(stream)
        case 7:
            stream.seek(8, io.SEEK_CUR)
        case 8:
            stream.seek(_varint(stream), io.SEEK_CUR)
        case 9 | 10:
            head = _byte(stream)
            for _ in range(head >> 4 if head >> 4 < 15 else _varint(stream)):
                _value(stream, head & 15, deepest - 1)
        case 12:
            return _struct(stream, deepest - 1)
        case _:
            raise ValueError("a page's header is none")
    return None


def _integer(stream: BinaryIO) -> int:
    number = _varint(stream)
    return number >> 1 ^ -(number & 1)


def _varint(stream: BinaryIO) -> int:
    number = 0
    for shift in range(0, 64, 7):
        byte = _byte(stream)
        number |= (byte & 127) << shift
        if byte < 128:
            return number
    raise ValueError("a page's header is none")


def _byte(stream: BinaryIO) -> int:
    found = stream.read(1)
    if not found:
        raise ValueError("a page's header is cut short")
    return found[0]
