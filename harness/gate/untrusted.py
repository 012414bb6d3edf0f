"""What an outcome's JSON may hold, as it may come from anyone; the rest is refused.

Every function raises ValueError, TypeError or KeyError on what it refuses.
"""

from __future__ import annotations

import json
import math
from typing import Any

from harness.stats import Interval

_SMALLEST, _LARGEST = 1e-15, 1e30
_MOST = 10**9
"""Of anything that is counted."""
_DEEPEST = 6


def loads(text: str | bytes) -> Any:
    """JSON without the constants that are none of it, such as NaN."""
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")


def number(value: Any) -> float:
    """A finite number."""
    found = float(value)
    if isinstance(value, str | bool) or not math.isfinite(found):
        raise ValueError(f"{value!r} is not a finite number")
    return found


def count(value: Any) -> int:
    """A whole number that something can be counted to."""
    found = number(value)
    if not (found.is_integer() and 0 <= found <= _MOST):
        raise ValueError(f"{value!r} is no number of things")
    return int(found)


def facts(value: Any, depth: int = _DEEPEST) -> Any:
    """Objects, lists, text, numbers and the like, not deep within each other."""
    if isinstance(value, dict | list | tuple) and not depth:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        return {str(name): facts(inner, depth - 1) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [facts(inner, depth - 1) for inner in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        number(value)
    return value


def optional(value: Any) -> float | None:
    """Likewise, or None."""
    return None if value is None else number(value)


def figure(value: Any) -> float | None:
    """In SI units; 0, or of a size that something measured can have."""
    found = optional(value)
    if found and not _SMALLEST <= found <= _LARGEST:
        raise ValueError(f"{value!r} is no figure of a layer")
    return found


def interval(data: Any) -> Interval | None:
    """A ratio or a figure within its limits, or None."""
    if data is None:
        return None
    value, low, high = (number(data[name]) for name in ("value", "low", "high"))
    if not (0 <= low <= value <= high <= _LARGEST and value >= _SMALLEST):
        raise ValueError(f"{value!r} ({low!r} to {high!r}) is no interval")
    return Interval(value, low, high)


def items(value: Any) -> list[Any]:
    """A list."""
    if not isinstance(value, list | tuple):
        raise TypeError(f"{value!r} is not a list")
    return list(value)
