"""The data of a report as links that save it, from inside the page or beside it: no script.

The files inside it are those of ``layerbench export``, with every digit.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.report import caps
from harness.report.provenance import Run
from harness.store import to_csv, to_parquet

if TYPE_CHECKING:
    import pandas as pd

_LONGEST = 1_500_000
"""Characters of a link; Chromium follows none of more than 2 MiB."""
_GZIP = 31
"""What zlib calls the format of gzip with the largest window; nothing of the moment is in it."""


@dataclass(frozen=True)
class Download:
    """A file within the page.

    Attributes:
        name: what it is saved as.
        kind: CSV or Parquet.
        href: a data URL that holds all of it.
        size: of the file, in bytes.
    """

    name: str
    kind: str
    href: str
    size: int


@dataclass(frozen=True)
class Data:
    """All rows of a report as files within the page, or the one beside it.

    Attributes:
        rows: how many there are.
        downloads: those that are not too large for a page.
        beside: the name of the file beside the report that holds them where there are too many.
    """

    rows: int
    downloads: tuple[Download, ...]
    beside: str

    @property
    def beside_href(self) -> str:
        """A link to that file from wherever the report lies, whatever the file is called."""
        return f"./{quote(self.beside)}"


def data(frame: pd.DataFrame, runs: Sequence[Run]) -> Data:
    """The frame of a report as CSV and as Parquet, if it is not too large.

    Args:
        frame: what `harness.store.load` returns.
        runs: that its rows are of.
    """
    beside = caps.data_file(frame, runs)
    if beside or frame.empty:
        return Data(len(frame), (), beside)
    texts = [name for name in frame if frame[name].dtype.kind == "O"]
    storable = frame.assign(**{str(name): frame[name].map(_storable) for name in texts})
    made = (_csv(storable), _parquet(storable))
    kept = tuple(one for one in made if len(one.href) <= _LONGEST)
    return Data(len(frame), kept, beside)


def _csv(frame: pd.DataFrame) -> Download:
    """Packed, as plain text would take more room than all drawings of cases together."""
    content = zlib.compress(to_csv(frame).encode(), 9, _GZIP)
    return _download("layerbench.csv.gz", "CSV", "application/gzip", content)


def _parquet(frame: pd.DataFrame) -> Download:
    content = to_parquet(frame)
    return _download("layerbench.parquet", "Parquet", "application/vnd.apache.parquet", content)


def _download(name: str, kind: str, media: str, content: bytes) -> Download:
    text = base64.b64encode(content).decode()
    return Download(name, kind, f"data:{media};base64,{text}", len(content))


def _storable(value: Any) -> Any:
    """Without the halves of characters that JSON from a stranger may hold, and no file can."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    return list(map(_storable, value)) if isinstance(value, list | tuple) else value
