"""Results of machines made by hand, with ceilings of round figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from frames import frame, machine, run

from harness.compare.machines import Result


def box(
    name: str,
    rows: Iterable[Mapping[str, Any]],
    flop_per_s: float = 1e11,
    bytes_per_s: float = 1e10,
    call_s: float = 2e-6,
    **changes: Any,
) -> Result:
    """What one run on one machine left.

    Args:
        name: of the machine and the result.
        rows: what `frames.row` gives; they become the run's own.
        flop_per_s: the ceiling of compute, in float32 in torch, on the CPU with one thread.
        bytes_per_s: likewise of memory, at every working set.
        call_s: likewise the smallest call.
        changes: of the machine's description.
    """
    run_id = f"{name} run"
    ceiling = {
        "framework": "torch",
        "device": "cpu",
        "threads": 1,
        "dtype": "float32",
        "flop_per_s": flop_per_s,
        "bandwidth": [[2**18, bytes_per_s], [2**28, bytes_per_s]],
        "call_overhead_s": call_s,
    }
    here = machine(machine_id=name, **changes)
    own = frame({**row, "machine_id": name, "run_id": run_id} for row in rows)
    return Result(name, own, [run(run_id=run_id, machine=here, ceilings=[ceiling])])
