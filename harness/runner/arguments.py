"""The forms in which Python code may say what it wants, brought to the one that a request has.

Only the form changes here: a lone value becomes a list of one, NumPy's numbers become Python's, a
path becomes text, ``10m`` becomes 600.0. Whether a value will do is for `harness.checks` to say.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from harness import units
from harness.types import UsageError


def in_form(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `harness.runner.Request`; those that are None are left out.

    Raises:
        UsageError: a value has no form that could be meant.
    """
    return {
        name: _FORMS.get(name, _plain)(value) for name, value in given.items() if value is not None
    }


def folder(value: Any) -> Path:
    """The folder that a path or its text names.

    Raises:
        UsageError: it is something else, or empty.
    """
    if not isinstance(value, str | os.PathLike) or not os.fspath(value):
        raise UsageError(f"{value!r} is not a folder")
    return Path(value)


def _plain(value: Any) -> Any:
    """Arrays and numbers of NumPy, and paths, as Python's own; anything else as it is."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _list(value: Any) -> tuple[Any, ...]:
    value = _plain(value)
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return (value,)
    if isinstance(value, Mapping):
        raise UsageError(f"{value!r} is neither a value nor a list of values")
    return tuple(map(_plain, value))


def _lists(value: Any) -> dict[str, tuple[Any, ...]]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{value!r} is not a dictionary of values by name")
    return {name: _list(values) for name, values in value.items()}


def _read_by(parse: Callable[[str], float]) -> Callable[[Any], Any]:
    """Text goes through `parse`, anything else stays what it is."""
    return lambda value: parse(value) if isinstance(value, str) else _plain(value)


_FORMS: Mapping[str, Callable[[Any], Any]] = {
    "layers": _list,
    "cases": _list,
    "suites": _list,
    "axes": _lists,
    "params": _lists,
    "budget_s": _read_by(units.parse_duration),
    "sample_s": _read_by(units.parse_duration),
    "timeout_s": _read_by(units.parse_duration),
    "rel_ci": _read_by(units.parse_fraction),
    "max_memory_bytes": _read_by(units.parse_size),
}
