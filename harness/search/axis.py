"""The axes along which a layer grows, and a case with one of them left open."""

from __future__ import annotations

import re
from dataclasses import replace

from harness.types import Case

AXES = ("seq", "batch")


def at(case: Case, axis: str, value: int) -> Case:
    """The case at another value of the axis."""
    return replace(case, seq=value) if axis == "seq" else replace(case, batch=value)


def pattern(case: Case, axis: str) -> str:
    """The case's id with a star for that value: ``lstm/torch/cpu/forward/eager/float32/b1-s*``."""
    where, _, shape = case.id.rpartition("/")
    letter = axis[0]
    starred = re.sub(rf"(^|-){letter}\d+(?=-|$)", rf"\1{letter}*", shape, count=1)
    return f"{where}/{starred}"
