"""A table before it is laid out: what HTML, Markdown and the terminal draw in their own way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    link: str = ""
    """The id of what tells more of it in the same page."""
    bound: bool = False
    """Whether the figure only sorts: what was read is less than can be told from nothing."""

    @property
    def value(self) -> float | None:
        """What can be reckoned with."""
        return None if self.bound else self.figure

    @property
    def key(self) -> str:
        """The figure to four digits in as few signs as it takes; empty where the text is just it.

        ``0.00046`` is ``4.6e-4``.
        """
        if self.figure is None or self.text == f"{self.figure:.4g}":
            return ""
        mantissa, _, exponent = f"{self.figure:.3e}".partition("e")
        short = f"{float(mantissa):g}e{int(exponent)}" if exponent else mantissa
        return min(f"{self.figure:.4g}", short, key=len)


@dataclass(frozen=True)
class Table:
    """Cells under their headings; every row as long as ``header``."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    facets: tuple[Mapping[str, str], ...] = ()
    """By row, what a page can be narrowed by (see `harness.report.facets`); empty if by nothing."""
    left_out: int = 0
    """Rows that there are beyond these."""

    @classmethod
    def of(
        cls,
        header: Iterable[str],
        rows: Iterable[Iterable[Cell | str]],
        facets: Iterable[Mapping[str, str]] = (),
        left_out: int = 0,
    ) -> Table:
        """A table of cells, where plain text stands for a cell without a figure."""
        return cls(
            tuple(header),
            tuple(
                tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in row)
                for row in rows
            ),
            tuple(facets),
            left_out,
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
