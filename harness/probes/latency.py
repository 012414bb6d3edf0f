"""How long does a call take? A block of calls, synchronized at both ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


class Clocks(Protocol):
    """What a framework must offer for its calls to be timed."""

    def synchronize(self, result: Any) -> None:
        """Waits until the work behind `result`, and all before it, is done."""

    def clock(self) -> float:
        """The host's clock, in seconds."""

    def device_event(self) -> Any | None:
        """Puts a time stamp into the device's queue; None where the device has no clock."""

    def device_seconds(self, start: Any, end: Any) -> float:
        """Between two events that have passed."""


@dataclass(frozen=True)
class Block:
    """Seconds a call, by the host's clock and by the device's."""

    wall_s: float
    device_s: float | None


def block(call: Callable[[], Any], calls: int, clocks: Clocks) -> Block:
    """Times `calls` calls as one block.

    Both figures span the same work: the host's from before the first call is issued until the
    device has finished the last one, the device's between events around it.
    """
    start_event = clocks.device_event()
    start = clocks.clock()
    for _ in range(calls - 1):
        call()  # its result is let go at once: held, it would keep the next call from its memory
    result = call()
    end_event = clocks.device_event()
    clocks.synchronize(result)
    wall = clocks.clock() - start
    if start_event is None:
        return Block(wall / calls, None)
    return Block(wall / calls, clocks.device_seconds(start_event, end_event) / calls)
