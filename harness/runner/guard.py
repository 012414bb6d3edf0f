"""Cases that are not run as memory would not do: as declared, or as a smaller one has shown."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from harness import frameworks, units
from harness.layer import Layer
from harness.problem import Problem
from harness.types import Case


def too_large(case: Case, layer: Layer, limit_bytes: int) -> str:
    """Why a worker for the CPU cannot hold the case, if its declaration tells; else empty.

    It has to have a builder for the case's framework.
    """
    problem = Problem(case, layer, layer.builders[frameworks.get(case.framework).builder])
    try:
        least = problem.held_bytes + problem.output_bytes
    except (Exception, SystemExit):  # of a declaration that is wrong, the worker tells how
        return ""
    if least <= limit_bytes:
        return ""
    return (
        f"not run: inputs, weights and output alone take {units.size(least)}, "
        f"and a worker may take {units.size(limit_bytes)}; `run --max-memory` allows more"
    )


class Exhausted:
    """Cases that ran out of memory, so that larger ones of their series need not try.

    A series is what differs in nothing but batch size and sequence length.
    """

    def __init__(self) -> None:
        self._series: defaultdict[Case, list[Case]] = defaultdict(list)

    def add(self, case: Case) -> None:
        """Notes that the case ran out of memory, or was not run for one that did."""
        self._series[_series(case)].append(case)

    def reason_against(self, case: Case) -> str:
        """Why the case need not be tried; empty if no smaller one is known to have failed so."""
        smaller = [
            other
            for other in self._series[_series(case)]
            if other.batch <= case.batch and (other.seq or 0) <= (case.seq or 0)
        ]
        if not smaller:
            return ""
        # One that was not run itself has a smaller one still, so the smallest has been.
        least = min(smaller, key=lambda other: (other.batch, other.seq or 0))
        shape = [f"b{least.batch}"] * (least.batch != case.batch)
        shape += [f"s{least.seq}"] * (least.seq != case.seq)
        return f"not run: out of memory already at {'-'.join(shape)}; `run --no-skip` tries it"


def _series(case: Case) -> Case:
    return replace(case, batch=1, seq=None if case.seq is None else 1)
