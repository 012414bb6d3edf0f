"""A worker's answers are held to what was asked, whatever they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.runner import WorkerFailedError, received
from harness.types import Status

BLOCKS = {"wall_s": [1e-3, 2e-3], "device_s": [1e-3, 0.0], "disturbances": {"waiting": 0.1}}
PREPARED = {
    "first_call_s": 1.0,
    **dict.fromkeys(("flops", "bytes", "parameter_bytes", "input_bytes"), 5),
    "density": 0.5,
    "warnings": ["said"],
}
READING = {"peak_bytes": -4096, "method": "VmHWM", "resolution_bytes": 1}
EXPLAINED = {"execution_path": "sgemm", "operators": 3, "kernels": None, "held_bytes": 7}
CEILINGS = {"flop_per_s": 1e9, "bandwidth": [[1024, 1e9]], "call_overhead_s": 1e-6}
GREETING = {
    "version": "1.0",
    "packages": {"parts": "0.1"},
    "settings": {"tf32": False},
    "clock_resolution_s": 1e-9,
}


def _blocks(answer: Mapping[str, Any]) -> received.Blocks:
    return received.blocks(answer, 2)


@pytest.mark.parametrize(
    ("read", "answer"),
    [
        (received.prepared, PREPARED),
        (received.reading, READING),
        (received.explained, EXPLAINED),
        (received.ceilings, CEILINGS),
        (received.greeting, GREETING),
        (received.checked, {"parity_error": 1e-7, "warnings": ["said"]}),
        (received.checked, {}),
    ],
)
def test_a_sound_answer_is_passed_on_and_nothing_beside_it(
    read: Callable[[Mapping[str, Any]], dict[str, Any]], answer: Mapping[str, Any]
) -> None:
    found = read({**answer, "status": "ok", "case": None})
    assert found.keys() == answer.keys()
    assert all(list(found[name]) == value for name, value in answer.items() if name == "warnings")


def test_blocks_come_with_the_device_s_times_and_what_disturbed_them() -> None:
    assert _blocks(BLOCKS) == received.Blocks([1e-3, 2e-3], [1e-3, 0.0], {"waiting": 0.1})
    assert _blocks({**BLOCKS, "device_s": [], "disturbances": None}).disturbances is None


@pytest.mark.parametrize("wall", [math.nan, math.inf, -math.inf, 0.0, -1e-3, 10**400])
def test_a_time_that_no_clock_can_have_read_is_an_error(wall: float) -> None:
    with pytest.raises(WorkerFailedError, match="the clock went backward, stood still") as failed:
        _blocks({**BLOCKS, "wall_s": [1e-3, wall]})
    assert failed.value.status is Status.ERROR
    with pytest.raises(WorkerFailedError, match="the clock"):
        received.turn({"wall_s": wall, "waited_s": 0.0})


@pytest.mark.parametrize("device", [math.nan, math.inf, -1e-9])
def test_a_device_s_clock_may_stand_still_and_no_more(device: float) -> None:
    with pytest.raises(WorkerFailedError, match="the device's clock"):
        _blocks({**BLOCKS, "device_s": [1e-3, device]})


@pytest.mark.parametrize(
    ("read", "sound", "name", "value"),
    [
        *(
            (_blocks, BLOCKS, "wall_s", value)
            for value in ([1e-3], [1e-3] * 3, ["1", "2"], [True, True], [[1], [2]], "ab", 1, {})
        ),
        *((_blocks, BLOCKS, "device_s", value) for value in (None, [1e-3], 0.0, ["1", "2"])),
        *(
            (_blocks, BLOCKS, "disturbances", value)
            for value in ([], {"gremlins": 1.0}, {"waiting": math.nan}, {"waiting": -1}, {"x": "y"})
        ),
        *((received.prepared, PREPARED, "flops", value) for value in (1.5, -1, "1", True, 10**400)),
        *((received.prepared, PREPARED, "warnings", value) for value in (None, "said", [1])),
        *((received.prepared, PREPARED, "first_call_s", value) for value in (None, "1", [1])),
        (received.prepared, PREPARED, "density", math.nan),
        *((received.checked, {}, "parity_error", value) for value in ("0", math.nan, -1, True)),
        *((received.reading, READING, "peak_bytes", value) for value in (None, 1.5, "1")),
        (received.reading, READING, "method", 3),
        (received.explained, EXPLAINED, "operators", -1),
        (received.explained, EXPLAINED, "execution_path", ["sgemm"]),
        *((received.ceilings, CEILINGS, "bandwidth", value) for value in ([1, 2], [[1]], {}, None)),
        (received.ceilings, CEILINGS, "flop_per_s", math.inf),
        (received.greeting, GREETING, "settings", {"tf32": math.nan}),
        (received.greeting, GREETING, "packages", ["parts"]),
        (received.greeting, GREETING, "clock_resolution_s", None),
    ],
)
def test_anything_else_is_garbage_and_its_name_is_told(
    read: Callable[[Mapping[str, Any]], object], sound: Mapping[str, Any], name: str, value: object
) -> None:
    with pytest.raises(WorkerFailedError, match=f"answered with garbage: {name} is") as failed:
        read({**sound, name: value})
    assert failed.value.status is Status.CRASHED
