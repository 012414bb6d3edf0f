"""A line of a journal: JSON with a checksum of itself as its last member.

``{"kind": "measurement", …, "crc32": "0a1b2c3d"}``: the checksum is the CRC-32 (ISO 3309, as in
zlib) of the bytes before ``, "crc32"``. It finds every burst of up to 32 bits and any two flipped
bits of a line, any three in a line of up to 11 kB (Koopman 2002, doi:10.1109/DSN.2002.1028931), and
of other damage all but one case in 2³².
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import files

LONGEST = 2**28
"""Bytes of a line; a longer one is no measurement. Three hours of one case's samples are less."""

_SUFFIX = b', "crc32": "%08x"}\n'
_SUFFIX_BYTES = len(_SUFFIX % 0)


def encoded(kind: str, data: Mapping[str, Any]) -> bytes:
    """One record as a line.

    Raises:
        ValueError: a number in it is not finite.
    """
    text = json.dumps({"kind": kind, **data}, ensure_ascii=False, allow_nan=False)
    return sealed(text.encode()[:-1])


def sealed(body: bytes) -> bytes:
    """A line, of the bytes that its checksum is of."""
    return body + _SUFFIX % zlib.crc32(body)


def decoded(line: bytes, *, checked: bool) -> dict[str, Any]:
    """The record that `encoded` made a line of.

    Args:
        line: with its end; only the last one of a file can lack that.
        checked: whether it must carry its checksum, as each does from schema 2 on. The schema
            alone decides: a line whose checksum is spoilt must not pass for one that has none.

    Raises:
        ValueError: it is damaged; the message says how.
    """
    whole = line if line.endswith(b"\n") else line + b"\n"
    if checked and whole != sealed(whole[:-_SUFFIX_BYTES]):
        raise ValueError("cut short" if whole is not line else "its checksum does not fit")
    try:
        record = loads(whole)
    except ValueError as error:
        raise ValueError("cut short" if whole is not line else "it is not JSON") from error
    if not isinstance(record, dict) or not isinstance(record.get("kind"), str):
        raise ValueError("it is no record")
    record.pop("crc32", None)
    return record


def loads(content: str | bytes) -> Any:
    """What JSON says, and nothing that only Python takes for it.

    Raises:
        ValueError: it is none, is nested too deep, or holds NaN, or text that no file can hold.
    """
    text = content if isinstance(content, str) else content.decode()
    try:
        found = _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if "\\u" in text:
        json.dumps(found, ensure_ascii=False).encode()  # half of a pair of surrogates raises
    return found


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
"""Python's own would take NaN and Infinity, which JSON does not know."""


def numbered(path: Path) -> Iterator[tuple[int, bytes | str]]:
    """The lines of a file with their numbers from 1, or in words why one cannot be had.

    No more than `LONGEST` bytes are held at once, whatever the file is.
    """
    number = 1
    try:
        with files.opened(path) as file:
            while line := file.readline(LONGEST):
                if len(line) < LONGEST or line.endswith(b"\n"):
                    yield number, line
                else:
                    while (rest := file.readline(LONGEST)) and not rest.endswith(b"\n"):
                        pass
                    yield number, f"longer than {LONGEST >> 20} MiB"
                number += 1
    except OSError as error:  # a bad sector: what was read before it stands
        yield number, f"it and what follows cannot be read: {error.strerror or error}"
