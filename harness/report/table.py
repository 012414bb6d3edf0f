"""A table before it is laid out: what HTML, Markdown and the terminal draw in their own way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Tone: TypeAlias = Literal["", "good", "bad", "muted"]


@dataclass(frozen=True)
class Cell:
    """Text, the figure it stands for, and how it should strike the reader."""

    text: str
    figure: float | None = None
    """Sorts the column; without one the text does."""
    tone: Tone = ""


@dataclass(frozen=True)
class Table:
    """Cells under their headings; every row as long as ``header``."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @classmethod
    def of(cls, header: Iterable[str], rows: Iterable[Iterable[Cell | str]]) -> Table:
        """A table of cells, where plain text stands for a cell without a figure."""
        return cls(
            tuple(header),
            tuple(
                tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in row)
                for row in rows
            ),
        )

    @property
    def numeric(self) -> tuple[bool, ...]:
        """By column, whether it holds figures and so is set flush right."""
        return tuple(
            any(row[column].figure is not None for row in self.rows)
            for column in range(len(self.header))
        )

    def __bool__(self) -> bool:
        return bool(self.rows)
