"""The data of a report as links that save it, from inside the page or beside it: no script."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.report import caps
from harness.report.provenance import Run
from harness.store import to_parquet

if TYPE_CHECKING:
    import pandas as pd

_LONGEST = 1_500_000
"""Characters of a link; Chromium follows none of more than 2 MiB."""
_SAFE = "/:,;=@!$()*+"
"""Signs that stand for themselves in a data URL and in an attribute."""


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
    """Columns with any value only; lists as text, figures with seven digits."""
    plain = frame.copy()
    for name in ("params", "audit", "warnings"):
        if name in plain:
            plain[name] = plain[name].map(_text)
    filled = [name for name in plain if not plain[name].map(_empty).all()]
    text = plain[filled].to_csv(index=False, lineterminator="\n", float_format="%.7g")
    return Download(
        "layerbench.csv",
        "CSV",
        f"data:text/csv;charset=utf-8,{quote(text, safe=_SAFE)}",
        len(text.encode()),
    )


def _parquet(frame: pd.DataFrame) -> Download:
    content = to_parquet(frame)
    text = base64.b64encode(content).decode()
    href = f"data:application/vnd.apache.parquet;base64,{text}"
    return Download("layerbench.parquet", "Parquet", href, len(content))


def _storable(value: Any) -> Any:
    """Without the halves of characters that JSON from a stranger may hold, and no file can."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    return list(map(_storable, value)) if isinstance(value, list | tuple) else value


def _text(value: object) -> str:
    """``units=256; bias=True`` of a dict, ``one; other`` of a list; nothing of anything else."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}={part}" for name, part in value.items())
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else ""


def _empty(value: Any) -> bool:
    import pandas as pd

    return bool(pd.isna(value)) or value == ""
