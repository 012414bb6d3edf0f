"""Is a loop of known cost read as what it costs, and what does the harness add?

The loops spin on the clock until a deadline (`harness.verify.spin_suite`) and go the way of every
layer: a suite, a worker process, check, calibration, warm-up, blocks, stopping rule.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from harness import units
from harness.runner import measure
from harness.runner.measure import BLOCK_S
from harness.runner.sampling import Ask, Effort
from harness.types import Case
from harness.verify import bench
from harness.verify.row import Row, Verdict, judged, noted, skipped

SUITE = "harness.verify.spin_suite"
LENGTHS_US = (10, 100, 1_000, 10_000, 100_000)
TOLERANCE = 0.01
OVERHEAD = 0.001
"""Of a block, the share that reading the clock and synchronizing may take."""
EFFORT = Effort(rel_ci=0.002, sample_s=1.0, timeout_s=60.0)
SHORT, LONG = (1, 2000), (1000, 50)
"""(calls a block, blocks) of the empty call."""


def rows() -> Iterator[Row]:
    """Needs torch, as the framework that adds least of its own to a call."""
    if not bench.installed(["torch"]):
        yield skipped("spin loops", "", "torch is not installed")
        return
    with bench.worker("torch", [SUITE]) as (ask, greeting):
        yield from measured(ask, "torch", greeting["clock_resolution_s"])


def measured(ask: Ask, framework: str, resolution_s: float) -> Iterator[Row]:
    """The rows, from any worker that has the layers ``spin`` and ``empty``."""
    for us in LENGTHS_US:
        case = Case.parse(f"spin/{framework}/cpu/forward/eager/float32/b1-us={us}")
        found = measure.latency(ask, case, 0, EFFORT, resolution_s)
        yield judge(us * 1e-6, found.samples_s)
    yield from _overhead(ask, framework, resolution_s)


def judge(known_s: float, samples_s: Sequence[float]) -> Row:
    """The median has to be what is known.

    What the harness adds is in every sample. Where the fastest one is right and the median is
    not, other programs took the processor away at the deadlines, and nothing can be told.
    """
    read_s, fastest_s = statistics.median(samples_s), min(samples_s)
    check, expected = f"spin of {units.seconds(known_s)}", f"within {TOLERANCE:.0%}"
    text = f"{units.seconds(read_s)} ({read_s / known_s - 1:+.2%})"
    if abs(read_s / known_s - 1) <= TOLERANCE:
        return Row(check, expected, text, Verdict.OK)
    text += f", fastest {fastest_s / known_s - 1:+.2%}"
    if abs(fastest_s / known_s - 1) > TOLERANCE:
        return Row(check, expected, text, Verdict.FAILS)
    return Row(check, expected, f"{text}: too disturbed to tell", Verdict.UNCLEAR)


def _overhead(ask: Ask, framework: str, resolution_s: float) -> Iterator[Row]:
    """A block of one empty call costs the block's overhead and a call; of many, calls only."""
    case = Case.parse(f"empty/{framework}/cpu/forward/eager/float32/b1")
    measure.make_ready(ask, case, 0, EFFORT, resolution_s)
    one, many = (
        statistics.median(ask(EFFORT.timeout_s, do="run", calls=calls, blocks=blocks)["wall_s"])
        for calls, blocks in (SHORT, LONG)
    )
    share = (one - many) / BLOCK_S
    yield judged(
        "overhead of a block (clock, synchronization)",
        f"at most {OVERHEAD:.1%} of the shortest block, {units.seconds(BLOCK_S)}",
        f"{units.seconds(one - many)} ({share:.3%})",
        share <= OVERHEAD,
    )
    yield noted("an empty call, as part of every reading", units.seconds(many))
