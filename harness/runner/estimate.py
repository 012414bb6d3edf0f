"""About how long a run takes, as seen on two cores; for a person who decides whether to wait."""

from __future__ import annotations

from collections.abc import Sequence

from harness.types import Bench, Case

WORKER_START_S = {"torch": 2.5, "tensorflow": 6.5}
"""Import and ceilings."""
PREPARE_S = 0.04
"""Build, first call and parity of a case."""
COMPILE_S = {
    ("torch", "compiled"): 1.0,
    ("tensorflow", "compiled"): 0.1,
    ("tensorflow", "compiled-xla"): 0.4,
}
"""What compilation adds to that, in every worker again."""
EXPLAIN_S = 0.15
"""Of a case in the memory round: the execution path, and what is held at the peak."""
UNKNOWN_START_S, UNKNOWN_COMPILE_S = 5.0, 0.5
"""Of other frameworks."""
SAMPLINGS = 1.3
"""Warm-up, samples, and the blocks of twice the calls together, in units of the sampling time."""


def run_s(cases: Sequence[Case], passes: int, sample_s: float) -> float:
    """Seconds for so many latency passes and the memory round over the cases."""
    starts = sum(
        WORKER_START_S.get(bench.framework, UNKNOWN_START_S) for bench in set(map(Bench.of, cases))
    )
    prepared = starts + sum(map(_prepare_s, cases))
    sampling = passes * SAMPLINGS * sample_s * len(cases)
    return (passes + 1) * prepared + sampling + EXPLAIN_S * len(cases)


def _prepare_s(case: Case) -> float:
    if case.execution == "eager":
        return PREPARE_S
    return PREPARE_S + COMPILE_S.get((case.framework, case.execution), UNKNOWN_COMPILE_S)
