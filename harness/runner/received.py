"""A worker's answers, held to what was asked before anything is made of them.

What a layer does to the process it runs in can make the worker say anything. It costs the case that
was being measured: the worker is ended, and no figure is made of what it said.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeGuard

from harness.disturbance import KINDS
from harness.runner.process import WorkerFailedError
from harness.types import Status

Fits = Callable[[object], bool]

_LARGEST = sys.float_info.max
"""JSON has larger ones, which no float can hold."""


def _is_time(value: object) -> TypeGuard[float]:
    """Whatever a clock may give."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    """Finite, and not below 0."""
    return _is_time(value) and 0 <= value <= _LARGEST


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST


def _is_difference(value: object) -> bool:
    """Of two counts."""
    return type(value) is int and abs(value) <= _LARGEST


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))


def _is_json_object(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return isinstance(value, dict)


def _or_none(fits: Fits) -> Fits:
    return lambda value: value is None or fits(value)


_PREPARED: Mapping[str, Fits] = {
    "first_call_s": _is_time,
    "flops": _or_none(_is_count),
    "bytes": _or_none(_is_count),
    "density": _or_none(_is_number),
    "parameter_bytes": _or_none(_is_count),
    "input_bytes": _or_none(_is_count),
    "warnings": _are_texts,
}
_CHECKED: Mapping[str, Fits] = {
    "parity_error": _or_none(_is_number),
    "approximation_error": _or_none(_is_number),
    "warnings": _or_none(_are_texts),
}
_READ: Mapping[str, Fits] = {
    # A little less than at rest, if pages were given back meanwhile.
    "peak_bytes": _is_difference,
    "method": _is_text,
    "resolution_bytes": _is_count,
}
_EXPLAINED: Mapping[str, Fits] = {
    "execution_path": _or_none(_is_text),
    **dict.fromkeys(("operators", "kernels", "conversions"), _or_none(_is_count)),
    **dict.fromkeys(("held_bytes", "output_bytes", "saved_bytes"), _or_none(_is_count)),
    "workspace_bytes": _or_none(_is_difference),
}
_CEILINGS: Mapping[str, Fits] = {
    "flop_per_s": _is_number,
    "bandwidth": lambda pairs: isinstance(pairs, list) and all(map(_is_pair, pairs)),
    "call_overhead_s": _is_number,
}
_GREETING: Mapping[str, Fits] = {
    "version": _is_text,
    "packages": _or_none(_is_json_object),
    "settings": _or_none(_is_json_object),
    "clock_resolution_s": _is_number,
}


class Blocks(NamedTuple):
    """Blocks of a case in the order in which they ran.

    Attributes:
        wall_s: seconds a call, each above 0.
        device_s: likewise by the device's clock; empty where it has none.
        disturbances: kind and amount; None where nobody looked.
    """

    wall_s: list[float]
    device_s: list[float]
    disturbances: dict[str, float] | None


def blocks(answer: Mapping[str, Any], number: int) -> Blocks:
    """So many blocks, as the request ``run`` gives them.

    Raises:
        WorkerFailedError: the answer is something else, or no clock can have read these times.
    """
    device_s = answer.get("device_s")
    told = answer.get("disturbances")
    if told is not None:
        known = isinstance(told, dict) and told.keys() <= KINDS.keys()
        if not known or not all(map(_is_number, told.values())):
            raise _garbage("disturbances", told)
    return Blocks(
        wall_s=seconds(answer, "wall_s", number),
        device_s=_clocked(device_s, number) if device_s != [] else [],
        disturbances=told,
    )


def seconds(answer: Mapping[str, Any], name: str, number: int) -> list[float]:
    """So many times of a call, each above 0.

    Raises:
        WorkerFailedError: as `blocks`.
    """
    walls = _times(answer.get(name), name, number)
    _check_clock(walls)
    return walls


def _check_clock(walls: Iterable[float]) -> None:
    if not all(0 < wall <= _LARGEST for wall in walls):
        raise WorkerFailedError(
            Status.ERROR, "the clock went backward, stood still or gave no number; measure again"
        )


def turn(answer: Mapping[str, Any]) -> tuple[float, float]:
    """(seconds a call of one block, of these those in which another process had the core).

    Raises:
        WorkerFailedError: as `blocks`.
    """
    (wall_s,) = seconds({"wall_s": [answer.get("wall_s")]}, "wall_s", 1)
    return wall_s, _fields(answer, {"waited_s": _is_number})["waited_s"]


def _clocked(device_s: object, number: int) -> list[float]:
    """Times by the device's clock, whose events may lie closer together than it can tell."""
    times = _times(device_s, "device_s", number)
    if not all(map(_is_number, times)):
        raise WorkerFailedError(
            Status.ERROR, "the device's clock went backward or gave no number; measure again"
        )
    return times


def _times(times: object, name: str, number: int) -> list[float]:
    if not isinstance(times, list) or len(times) != number:
        raise _garbage(name, times)
    if not all(map(_is_time, times)):
        raise _garbage(name, times)
    return times


def prepared(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a case once it is built and was called, as fields of a `Measurement`."""
    found = _fields(answer, _PREPARED)
    _check_clock([found["first_call_s"]])
    return {**found, "warnings": tuple(found["warnings"])}


def checked(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What came of a check, as fields of a `Measurement`; its warnings are a list."""
    return _fields(answer, _CHECKED)


def reading(answer: Mapping[str, Any]) -> dict[str, Any]:
    """One reading of the peak memory."""
    return _fields(answer, _READ)


def explained(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What a profiler told, as fields of a `Measurement` and ``held_bytes``."""
    return _fields(answer, _EXPLAINED)


def ceilings(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What the machine can do in one dtype; see `harness.probes.ceilings.Ceilings`."""
    return _fields(answer, _CEILINGS)


def greeting(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What a worker says of itself, whose settings may be anything that JSON can hold."""
    return _fields(answer, _GREETING)


def _fields(answer: Mapping[str, Any], fields: Mapping[str, Fits]) -> dict[str, Any]:
    """Those fields that the answer holds.

    Raises:
        WorkerFailedError: one does not fit, or one is missing that has to be there.
    """
    for name, fits in fields.items():
        if not fits(answer.get(name)):
            raise _garbage(name, answer.get(name))
    return {name: answer[name] for name in fields if name in answer}


def _garbage(name: str, value: object) -> WorkerFailedError:
    what = "is missing" if value is None else f"is {str(value)[:60]!r}"
    return WorkerFailedError(Status.CRASHED, f"the worker answered with garbage: {name} {what}")
