"""What can be asked for, whoever asks: a sweep file, the command line, or Python code.

Every function here gives back what it was given, or raises a `UsageError` of one line that says
what is wrong, where, and what there is instead.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import faults
from harness.types import DTYPES, EXECUTIONS, MODES, UsageError, Value, check_value, parse_value

AXES = ("framework", "device", "mode", "execution", "dtype", "threads", "batch", "seq")
"""The axes every layer has (``seq`` where it has a sequence), in the order they are swept."""

CLOSED = {"mode": MODES, "execution": EXECUTIONS, "dtype": DTYPES}
"""Axes with no other values than these."""
COUNTS = ("threads", "batch", "seq")
"""Axes whose values are whole numbers above 0."""
TOKENS = "tokens="
"""Begins a batch that follows from the length: ``tokens=16384`` is so many over all sequences."""
LARGEST_COUNT = 2**31 - 1
"""Of a count. Beyond it sizes in bytes no longer fit the 64 bits that arrays count in."""
LONGEST_NAME = 300
"""Letters of one that others are compared with; of much longer ones that takes minutes."""
MOST_NAMED = 12
"""Of the names that there are, so many are told to who typed another one."""

_LONGEST_S = 31_536_000.0
"""A year; beyond what clocks and locks can wait some systems raise."""
_LIMITS = {"rel_ci": 1.0, "sample_s": _LONGEST_S, "timeout_s": _LONGEST_S, "budget_s": _LONGEST_S}
"""What a number has to be below; above 0 they all have to be."""


def check_axis(axis: str, values: Any, where: str = "") -> tuple[Any, ...]:
    """The values, if each is one that the axis can take.

    Args:
        axis: one of `AXES`.
        values: a list; of a closed axis, such as ``mode``, patterns too; of ``batch`` also
            ``tokens=16384``.
        where: what to call it in a message; its name if not said.

    Raises:
        UsageError: one is not, or there are none.
    """
    where = where or axis
    if axis not in COUNTS:
        found = check_names(where, values)
        return tuple(choose(where, found, CLOSED[axis])) if axis in CLOSED else found
    check = _batch if axis == "batch" else check_count
    return tuple(check(where, value) for value in _list(where, values))


def check_names(where: str, values: Any) -> tuple[str, ...]:
    """The values, if they are names or patterns, and not none of them.

    Raises:
        UsageError: they are not.
    """
    for value in _list(where, values):
        if not isinstance(value, str) or not value.strip():
            raise UsageError(f"{where}: {faults.shown(value)} is not a name")
    return tuple(values)


def check_params(params: Mapping[str, Any]) -> dict[str, tuple[Value, ...]]:
    """The values by parameter name, if a case can have them.

    Raises:
        UsageError: one cannot be had, or a parameter has none.
    """
    for name, values in params.items():
        for value in _list(f"parameter {name}", values):
            check_value(name, value)
    return {name: tuple(values) for name, values in params.items()}


@dataclass(frozen=True)
class Allowed:
    """Which numbers a parameter of a layer may be.

    Attributes:
        least: the smallest of them.
        below: what they are less than, if they end.
        multiple_of: the whole number that they are multiples of.
        divides: the parameter of the same layer that they divide; empty if there is none.
    """

    least: float = 1
    below: float | None = None
    multiple_of: int = 1
    divides: str = ""

    def told(self, params: Mapping[str, Any]) -> str:
        """In words, such as ``1 or more and a divisor of heads = 8``."""
        words = [f"{self.least:g} or more"]
        if self.below is not None:
            words.append(f"less than {self.below:g}")
        if self.multiple_of > 1:
            words.append(f"a multiple of {self.multiple_of}")
        if self.divides:
            words.append(f"a divisor of {self.divides} = {params[self.divides]}")
        return " and ".join(words)

    def holds(self, value: Any, params: Mapping[str, Any]) -> bool:
        """Whether the value is one of them, beside the layer's other parameters."""
        return (
            value >= self.least
            and (self.below is None or value < self.below)
            and (self.multiple_of == 1 or value % self.multiple_of == 0)
            and (not self.divides or params[self.divides] % value == 0)
        )


def check_layer_params(
    layer: str,
    params: Mapping[str, Value],
    presets: Collection[Mapping[str, Value]],
    allowed: Mapping[str, Allowed],
) -> None:
    """Holds the parameters of a layer to what makes sense for it.

    Args:
        layer: its name.
        params: of a case.
        presets: the layer's; a parameter is of the same kind as there.
        allowed: numbers that they may be. A whole number of which nothing is said is 1 or more, or
            as little as in a preset: a padding of 0 is one, 0 heads are not.

    Raises:
        UsageError: one is of another kind, or a number that is not allowed.
    """
    usual = next(iter(presets))
    for name, value in params.items():
        if not _is_kind(value, usual[name]):
            kind = f"{_KINDS[type(usual[name])]}, such as {usual[name]!r}"
            raise UsageError(f"layer {layer}: {name} = {faults.shown(value)} is not {kind}")
    for name, value in params.items():
        range_ = allowed.get(name)
        if range_ is None and type(usual[name]) is int:
            range_ = Allowed(least=min(1, *(float(preset[name]) for preset in presets)))
        if range_ and not range_.holds(value, params):
            raise UsageError(f"layer {layer}: {name} = {value} is not {range_.told(params)}")


def _is_kind(value: Value, usual: Value) -> bool:
    return type(value) is type(usual) or (isinstance(usual, float) and type(value) is int)


_KINDS = {int: "a whole number", float: "a number", bool: "True or False", str: "text"}


def check_setting(name: str, value: Any) -> Any:
    """The value, if that setting can have it.

    Args:
        name: ``passes``, ``rel_ci``, ``sample_s``, ``timeout_s``, ``budget_s``, ``presets`` or
            ``description``.
        value: of any type.

    Raises:
        UsageError: it cannot.
    """
    if name == "passes":
        return check_count(name, value)
    if name == "presets" and (not isinstance(value, str) or not value.strip()):
        raise UsageError(
            f"presets = {faults.shown(value)}; it is 'first', 'all' or the name of a preset"
        )
    if name == "description" and not isinstance(value, str):
        raise UsageError(f"description = {faults.shown(value)} is not text")
    if name not in _LIMITS:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{name} = {faults.shown(value)} is not a number")
    if not 0 < value < _LIMITS[name]:  # nor is NaN
        raise UsageError(f"{name} = {value} is not above 0 and below {_LIMITS[name]:.0f}")
    return float(value)


def _list(where: str, values: Any) -> Sequence[Any]:
    if not isinstance(values, list | tuple) or not values:
        raise UsageError(f"{where} = {faults.shown(values)} is not a list of values")
    return values


def _batch(where: str, value: Any) -> int | str:
    if not isinstance(value, str):
        return check_count(where, value)
    if not value.startswith(TOKENS):
        raise UsageError(
            f"{where} {faults.shown(value)} is not a whole number, nor such as {TOKENS}16384"
        )
    return f"{TOKENS}{check_count(f'{where} {TOKENS}', parse_value(value.removeprefix(TOKENS)))}"


def check_count(where: str, value: Any) -> int:
    """The value, if it is a whole number above 0 that sizes can be reckoned with.

    Raises:
        UsageError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(f"{where} {faults.shown(value)} is not a whole number")
    if value < 1:
        raise UsageError(f"{where} {value} is not 1 or more")
    if value > LARGEST_COUNT:
        raise UsageError(f"{where} {value} is more than {LARGEST_COUNT}, the most there can be")
    return value


def choose(kind: str, wanted: Iterable[str], known: Collection[str]) -> list[str]:
    """The known names that are wanted; ``*`` and ``?`` match as in a shell.

    Raises:
        UsageError: a name matches nothing; the message gives the nearest.
    """
    chosen: dict[str, None] = {}
    for name in wanted:
        # What is longer is no pattern: one of a million stars would take minutes.
        matches = fnmatch.filter(known, name) if len(name) <= LONGEST_NAME else [name]
        if not matches or matches == [name]:
            check_known(kind, [name], known)
        chosen.update(dict.fromkeys(matches))
    return list(chosen)


def _some(known: Collection[str]) -> str:
    """The names, or the first of very many: case ids come by the thousand."""
    rest = len(known) - MOST_NAMED
    named = ", ".join(list(known)[:MOST_NAMED])
    return f"{named} and {rest} more" if rest > 0 else named


def check_known(kind: str, names: Iterable[str], known: Collection[str]) -> None:
    """Refuses what is not among the known names, letter for letter.

    Raises:
        UsageError: a name is not; the message gives the nearest.
    """
    for name in names:
        if name not in known:
            near = []
            if len(name) <= LONGEST_NAME:
                near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
            hint = f"nearest: {', '.join(near)}" if near else f"there are: {_some(known)}"
            raise UsageError(f"unknown {kind} {faults.shown(name)}; {hint}")
