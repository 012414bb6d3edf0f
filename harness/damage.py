"""What of stored results could not be read: counted, named, and told as a Python warning.

Whatever is sound is read all the same. A warning and no error says what was left out, so that one
flipped bit does not cost a night's measurements, and nothing that is broken passes unseen.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

LISTED = 20
"""Numbers of lines that are told for each thing that is wrong; the others are counted."""
REASONS = 10
"""Things that are told of one file; a file of something else would have one for each line."""
_OTHER = "damaged in other ways"


@dataclass(frozen=True)
class Damage:
    """What could not be read of one file.

    Attributes:
        path: of the file.
        what: is wrong with it, and what was done about that.
        lines: how many of its lines, or rows, are left out; 0 if it is not a matter of lines.
    """

    path: Path
    what: str
    lines: int = 0

    @classmethod
    def of(cls, path: Path, error: Exception, remedy: str = "") -> Self:
        """What the error says of the whole file, and what was done about it."""
        what = str(error).removeprefix(f"{path} ")
        return cls(path, f"{what}; {remedy}" if remedy else what)

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


class DamagedResultsWarning(UserWarning):
    """Some of the results are damaged and left out; ``damage`` says which."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(str(damage))
        self.damage = damage


def tell(damage: Damage | None) -> None:
    """Warns of it, if there is any."""
    if damage is not None:
        warnings.warn(DamagedResultsWarning(damage), stacklevel=3)


@contextlib.contextmanager
def noticed(show: Callable[[Damage], None] | None = None) -> Iterator[list[Damage]]:
    """Lists what is told inside, of each file the first time.

    Args:
        show: tells it then; without it, it is told as it would be outside.
    """
    files: set[Path] = set()
    listed: list[Damage] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", DamagedResultsWarning)
        usual = warnings.showwarning

        def showing(
            message: Warning | str, category: type[Warning], *where: object, **more: object
        ) -> None:
            if isinstance(message, DamagedResultsWarning):
                if message.damage.path in files:
                    return
                files.add(message.damage.path)
                listed.append(message.damage)
                if show:
                    show(message.damage)
                    return
            # What warnings hands over goes on as it came.
            usual(message, category, *where, **more)  # type: ignore[arg-type]

        warnings.showwarning = showing
        yield listed


@dataclass
class LostLines:
    """The lines of one file that are left out, gathered while it is read.

    What is kept does not grow with the file.
    """

    count: int = 0
    _by_reason: dict[str, list[int]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, number: int, why: str) -> None:
        """Leaves out a line, of this number from 1, because of that."""
        if why not in self._counts and len(self._counts) >= REASONS:
            why = _OTHER
        self.count += 1
        self._counts[why] = self._counts.get(why, 0) + 1
        listed = self._by_reason.setdefault(why, [])
        if len(listed) < LISTED:
            listed.append(number)

    def damage(self, path: Path, total: int, remedy: str = "", unit: str = "line") -> Damage | None:
        """What to tell of them, if there are any.

        Args:
            path: of the file.
            total: how many lines it has.
            remedy: what to do.
            unit: what the lines are.
        """
        if not self.count:
            return None
        told = "; ".join(f"{self._numbers(why)} ({why})" for why in self._counts)
        are = "is" if self.count == 1 else "are"
        start = f"{self.count} of {total} {unit}s {are} left out: {told}"
        return Damage(path, f"{start}; {remedy}" if remedy else start, self.count)

    def _numbers(self, why: str) -> str:
        listed = ", ".join(map(str, self._by_reason[why]))
        more = self._counts[why] - len(self._by_reason[why])
        return f"{listed} and {more} more" if more else listed
