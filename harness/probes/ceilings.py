"""What the machine can do at best, in the framework at hand: the roof over every row.

Source: Williams, Waterman and Patterson (2009), doi:10.1145/1498765.1498785.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from harness.probes.latency import Clocks, block

STREAM_BYTES = tuple(2**n for n in range(18, 29))
"""Working sets from what a private cache holds to what only memory does."""
MATMUL_SIZES = (256, 512, 1024, 2048, 4096, 8192)
LONGEST_CALL_S = 0.05
"""A larger product is tried only while the last one took less than this."""
TRIAL_S = 0.03
"""For the blocks of one call."""
REPEATS, MOST_REPEATS = 3, 50
"""At least, however long they take, and at most, however short."""
MOST_CALLS = 2**14
"""In a block."""
BLOCK_S = 1e-3
"""Short enough to lie between two interruptions on a busy machine."""


@dataclass(frozen=True)
class Ceilings:
    """The best rates seen.

    Attributes:
        flop_per_s: of a square matrix product.
        bandwidth: (working set in bytes, bytes/s) pairs, by working set.
        call_overhead_s: time of the smallest call there is.
    """

    flop_per_s: float
    bandwidth: tuple[tuple[int, float], ...]
    call_overhead_s: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def measure(
    matmul: Callable[[int], Callable[[], Any]],
    stream: Callable[[int], Callable[[], Any]],
    clocks: Clocks,
) -> Ceilings:
    """Measures the ceilings; `matmul` and `stream` as in `harness.frameworks.CeilingCalls`."""
    flop_per_s = 0.0
    for n in MATMUL_SIZES:
        seconds = _best(matmul(n), clocks)
        flop_per_s = max(flop_per_s, 2 * n**3 / seconds)
        if seconds > LONGEST_CALL_S:
            break
    bandwidth = tuple((size, 1.5 * size / _best(stream(size), clocks)) for size in STREAM_BYTES)
    return Ceilings(flop_per_s, bandwidth, _best(stream(1), clocks))


def _best(call: Callable[[], Any], clocks: Clocks) -> float:
    """The shortest time of a call, in seconds: a ceiling is what was reached undisturbed."""
    calls, best_s = 1, block(call, 1, clocks).wall_s
    while calls * best_s < BLOCK_S and calls < MOST_CALLS:
        calls *= 2
        best_s = block(call, calls, clocks).wall_s
    spent_s, repeats = 0.0, 0
    while repeats < REPEATS or (spent_s < TRIAL_S and repeats < MOST_REPEATS):
        taken_s = block(call, calls, clocks).wall_s
        best_s = min(best_s, taken_s)
        spent_s += calls * taken_s
        repeats += 1
    return best_s
