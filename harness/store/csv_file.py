"""A frame as a CSV file, and back: what is read is what was written."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import faults, files
from harness.damage import LostLines, tell
from harness.store import sound
from harness.store.lines import loads
from harness.types import HarnessError, Status

if TYPE_CHECKING:
    import pandas as pd

_LISTS = ("audit", "warnings")
_LONGEST = 2**20
"""Characters of a line; a longer one comes in pieces, each of which is no line of a table."""
_FORMULA = re.compile("'*[=+@\t\r-]")
"""Begins what a spreadsheet would take for a formula, and run, or what `to_csv` made of such text
(OWASP, "CSV Injection")."""
_ANEW = "`layerbench export --format csv=FILE` writes it anew"


def to_csv(frame: pd.DataFrame) -> str:
    """The frame as CSV: text in quotes, dicts and lists as JSON, what is missing as nothing.

    Text that a spreadsheet would take for a formula begins with ``'``, which `read` takes away.
    """
    plain = frame.copy()
    for name in plain:
        if name in ("params", *_LISTS):
            plain[name] = plain[name].map(json.dumps)
        elif plain[name].dtype.kind == "O":
            plain[name] = plain[name].map(_plain)
    return plain.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)


def read(path: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """The frame that `to_csv` made a file of; what is damaged is told, and left out.

    Of text nothing is taken for a missing figure, and every figure has all of its digits.

    Args:
        path: of the file.
        columns: `harness.store.COLUMNS` or ``SAMPLE_COLUMNS``, whichever it should hold.

    Raises:
        HarnessError: it cannot be read, or holds something else.
    """
    import pandas as pd

    found: dict[str, list[Any]] = {name: [] for name in columns}
    lost, total = LostLines(), 0
    try:
        # What is no UTF-8 costs its own line.
        with io.TextIOWrapper(files.opened(path), "utf-8", "surrogateescape", newline="") as file:
            lines = csv.reader(_lines(file), strict=True)
            header = _header(path, lines)
            if missing := [name for name in columns if name not in header]:
                raise HarnessError(
                    f"{path} has no column {missing[0]}; give the folder of the run; {_ANEW}"
                )
            places = {name: header.index(name) for name in columns}
            while True:
                try:
                    fields = next(lines)
                    values = _values(fields, header, places, columns)
                except StopIteration:
                    break
                except (csv.Error, ValueError) as error:
                    total += 1
                    lost.add(lines.line_num, faults.words(error))
                    continue
                total += 1
                for name, value in values.items():
                    found[name].append(value)
    except OSError as error:
        raise HarnessError(f"{path} cannot be read ({error.strerror})") from error
    if lost.count and lost.count == total:
        raise HarnessError(f"{lost.damage(path, total)}; {_ANEW}")
    tell(lost.damage(path, total, _ANEW))
    return pd.DataFrame({name: pd.Series(found[name], dtype=columns[name]) for name in columns})


def _lines(file: io.TextIOWrapper) -> Iterator[str]:
    while line := file.readline(_LONGEST):
        yield line


def _plain(value: Any) -> Any:
    """The value; text so that it stays text in a spreadsheet, of which `_text` is the reverse."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _values(
    fields: Sequence[str],
    header: Sequence[str],
    places: Mapping[str, int],
    kinds: Mapping[str, str],
) -> dict[str, Any]:
    """What one line says.

    Raises:
        ValueError: it is no line of such a table; the message names the column.
    """
    if len(fields) != len(header):
        raise ValueError(f"{len(fields)} fields, where there are {len(header)} columns")
    values = {}
    for name, place in places.items():
        try:
            values[name] = value = _READ[kinds[name]](fields[place])
            _check(name, value)
        except ValueError as error:
            shown = faults.shown(fields[place])
            raise ValueError(f"column {name} holds {shown}") from error
    return values


def _header(path: Path, lines: Iterator[list[str]]) -> list[str]:
    """The names of the columns.

    Raises:
        HarnessError: the file does not begin with any.
    """
    try:
        return next(lines, [])
    except csv.Error as error:
        raise HarnessError(f"{path} is no table ({faults.words(error)}); {_ANEW}") from error


def _check(name: str, value: Any) -> None:
    """Holds a value to what its column can hold.

    Raises:
        ValueError: it cannot.
    """
    if name == "status":
        Status(value)
    elif name == "params":
        sound.check_params(value)
    elif name in _LISTS:
        sound.check_texts(value)
    elif type(value) in (int, float) and not math.isnan(value):
        least, most = sound.limits(name)
        if not least <= value <= most:
            raise ValueError(value)


def _text(text: str) -> str:
    text.encode()  # what was no UTF-8 raises here
    return text[1:] if text[:1] == "'" and _FORMULA.match(text) else text


def _figure(text: str) -> float:
    """With every digit, which not each version of pandas reads by itself."""
    if not text:
        return math.nan
    value = float(text)
    if math.isnan(value):
        raise ValueError(text)
    return value


def _flag(text: str) -> bool:
    if text not in ("True", "False"):
        raise ValueError(text)
    return text == "True"


def _whole(text: str) -> int:
    if not 0 <= (value := int(text)) < 2**63:
        raise ValueError(text)
    return value


_READ: Mapping[str, Callable[[str], Any]] = {
    "str": _text,
    "int64": _whole,
    "Int64": lambda text: _whole(text) if text else None,
    "float64": _figure,
    "bool": _flag,
    "object": loads,
}
"""How each type of column is read."""
