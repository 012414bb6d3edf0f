"""Is the peak memory of a call the size of what it allocates, however short and in any order?

Read as in every run: in a worker started for memory, by `harness.runner.measure.memory`. Sizes
alternate between large and small, so that nothing of one case can pass for part of the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from harness import devices, units
from harness.devices import machine
from harness.runner import measure
from harness.runner.sampling import Ask, Effort
from harness.types import Case, Measurement
from harness.verify import bench
from harness.verify.row import Row, judged, skipped

SUITE = "harness.verify.memory_suite"
KIB = (64, 2**20, 256, 2**18, 2**10, 2**14, 64)
"""In the order in which they are measured: from 64 KiB to 1 GiB, and the smallest again."""
ABSOLUTE, RELATIVE = 2**20, 0.02
ROUNDING = {"cpu": ABSOLUTE, "cuda": 4096}
"""On CUDA the allocator says what it holds, to its own rounding of a few small tensors."""
ROOM = 3
"""Times the size have to be available, as the worker may take no more than its share."""
SHORT_S = 1e-3
SHORT_KIB = 2**10
EFFORT = Effort(rel_ci=0.01, sample_s=0.1, timeout_s=120.0)


def rows() -> Iterator[Row]:
    """By framework and device, a row for each size, and one for a short peak."""
    for framework in bench.installed():
        for device in devices.available():
            with bench.worker(framework, [SUITE], "memory", device) as (ask, _greeting):
                yield from measured(ask, framework, device, machine.available_memory_bytes())


def measured(ask: Ask, framework: str, device: str, available: int) -> Iterator[Row]:
    """The rows, from any worker that has the layer ``known_temporary``."""
    for kib in KIB:
        known = kib * 1024
        tolerance = max(ROUNDING[device], RELATIVE * known)
        check = f"{framework} {device}, {units.size(known)}"
        expected = f"within {units.size(tolerance)}"
        if device == "cpu" and ROOM * known > available:
            yield skipped(check, expected, f"only {units.size(available)} of memory available")
            continue
        case = _case(framework, device, kib)
        resolution = _asked(ask, case, do="memory")["resolution_bytes"]
        found = measure.memory(ask, case, EFFORT)
        yield judged(check, expected, _told(found), _agrees(found, known, tolerance, resolution))
    yield _short(ask, framework, device)


def _case(framework: str, device: str, kib: int) -> Case:
    return Case.parse(f"known_temporary/{framework}/{device}/forward/eager/float32/b1-kib={kib}")


def _told(found: Measurement) -> str:
    if found.peak_memory_bytes is None:
        return found.memory_method
    return f"{units.size(found.peak_memory_bytes)} by {found.memory_method}"


def _asked(ask: Ask, case: Case, **request: Any) -> dict[str, Any]:
    """The answer to a request about the case, prepared anew."""
    ask(EFFORT.timeout_s, do="prepare", case=case.to_json())
    return ask(EFFORT.timeout_s, **request)


def _agrees(found: Measurement, known: int, tolerance: float, resolution: int) -> bool:
    """No figure is right where the known one cannot be told from nothing."""
    if found.peak_memory_bytes is not None:
        return abs(found.peak_memory_bytes - known) <= tolerance
    return known <= resolution


def _short(ask: Ask, framework: str, device: str) -> Row:
    """A peak that was over before anyone could have polled for it."""
    case = _case(framework, device, SHORT_KIB)
    found = measure.memory(ask, case, EFFORT)
    taken_s = min(_asked(ask, case, do="run", calls=1, blocks=20)["wall_s"])
    check = f"{framework} {device}, {units.size(SHORT_KIB * 1024)}, a short peak"
    expected = f"seen, in a call below {units.seconds(SHORT_S)}"
    text = f"{_told(found)} in a call of {units.seconds(taken_s)}"
    seen = math.isclose(found.peak_memory_bytes or 0, SHORT_KIB * 1024, rel_tol=0.5)
    return judged(check, expected, text, seen and taken_s < SHORT_S)
