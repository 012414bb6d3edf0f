"""What each operator of a call cost, and how much memory was held when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.profilers import Allocation, Operation, Trace


@dataclass
class Cost:
    """Of all calls of one operator.

    Attributes:
        name: of the operator or kernel.
        calls: how many.
        self_s: less what was spent in others that it called.
        total_s: with it; an operator that calls itself counts twice.
        memory_bytes: taken less given back, by itself.
        is_kernel: it ran on a GPU.
    """

    name: str
    calls: int = 0
    self_s: float = 0.0
    total_s: float = 0.0
    memory_bytes: int = 0
    is_kernel: bool = False


def costs(trace: Trace) -> list[Cost]:
    """What each operator cost, the one with most time of its own first."""
    found: dict[tuple[str, bool], Cost] = {}
    memory: dict[int, list[Allocation]] = defaultdict(list)
    for allocation in trace.allocations:
        memory[allocation.lane].append(allocation)
    lanes: dict[int, list[Operation]] = defaultdict(list)
    for operation in trace.operations:
        lanes[operation.lane].append(operation)
    for lane, operations in lanes.items():
        for operation, self_s, taken in _alone(operations, memory[lane]):
            key = operation.name, operation.is_kernel
            cost = found.setdefault(key, Cost(operation.name, is_kernel=operation.is_kernel))
            cost.calls += 1
            cost.self_s += self_s
            cost.total_s += operation.end_s - operation.start_s
            cost.memory_bytes += taken
    return sorted(found.values(), key=lambda cost: -cost.self_s)


def _alone(
    operations: Iterable[Operation], allocations: Iterable[Allocation]
) -> Iterator[tuple[Operation, float, int]]:
    """Each operation of a lane with the time and the memory that no operation within it has.

    Operations that begin together contain each other, the longest one first.
    """
    order = sorted(operations, key=lambda operation: (operation.start_s, -operation.end_s))
    self_s = [operation.end_s - operation.start_s for operation in order]
    taken = [0] * len(order)
    within: list[int] = []
    moments = iter(sorted(allocations, key=lambda allocation: allocation.at_s))
    moment = next(moments, None)
    for index, begin in [*((i, o.start_s) for i, o in enumerate(order)), (-1, float("inf"))]:
        while moment is not None and moment.at_s < begin:
            _leave(within, order, moment.at_s)
            if within:
                taken[within[-1]] += moment.size_bytes
            moment = next(moments, None)
        _leave(within, order, begin)
        if index >= 0:
            if within:
                self_s[within[-1]] -= order[index].end_s - order[index].start_s
            within.append(index)
    yield from zip(order, self_s, taken, strict=True)


def _leave(within: list[int], order: list[Operation], now_s: float) -> None:
    while within and order[within[-1]].end_s <= now_s:
        within.pop()


def timeline(trace: Trace) -> list[tuple[float, int]]:
    """(seconds since the call began, bytes held above the beginning) after each change."""
    held = 0
    points = []
    for allocation in trace.allocations:
        held += allocation.size_bytes
        points.append((allocation.at_s, held))
    return points
