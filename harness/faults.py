"""What went wrong in somebody's code, told in a line: an error's kind, its words, and its place."""

from __future__ import annotations

import re
import reprlib
import sysconfig
import traceback
from pathlib import Path

LONGEST = 300
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_OPERATION_NUMBER = re.compile(r"\[Op:\w+\]")
"""TensorFlow's, different each time, which would make one reason look like many."""
_LIBRARIES = ("stdlib", "platstdlib", "purelib", "platlib")
_NOT_THE_USERS = (
    Path(__file__).parent.resolve(),
    *(Path(sysconfig.get_path(name)).resolve() for name in _LIBRARIES),
)


def told(error: BaseException) -> str:
    """``TypeError: what it says (file.py, line 12)``; the place only if it is a user's code."""
    said = words(error)
    kind = type(error).__name__
    return f"{kind}: {said}{_place(error)}" if said else f"{kind}{_place(error)}"


def words(error: BaseException) -> str:
    """What the error says, without what could move a terminal's cursor or colours."""
    try:
        text = _OPERATION_NUMBER.sub("", str(error))
    except Exception as broken:  # an error whose own text is broken is still to be told
        text = f"its message cannot be read ({type(broken).__name__})"
    return printable(text)


def printable(text: str) -> str:
    """What somebody's code said, in a line, without what could move a terminal's cursor."""
    signs = (sign if sign.isprintable() else " " for sign in _COLOURS.sub("", text))
    return " ".join("".join(signs).split())[:LONGEST]


def shown(value: object) -> str:
    """A value as Python writes it, so much of it as tells which one it is."""
    return _SHORT.repr(value)


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 200


def _place(error: BaseException) -> str:
    """The deepest frame that is neither ours nor a library's."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        file = path.resolve()
        if path.suffix == ".py" and not any(map(file.is_relative_to, _NOT_THE_USERS)):
            return f" ({path.name}, line {frame.lineno})"
    return ""
