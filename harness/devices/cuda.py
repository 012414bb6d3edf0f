"""The NVIDIA GPUs of this machine, by the driver's own tool.

No memory is measured here: what a layer takes of a GPU only the framework's allocator knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.devices.command import output

_QUERY = "name,driver_version,memory.total,clocks.sm,clocks.max.sm,power.limit"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU; None where the driver does not say. Clocks in MHz, power in W."""

    name: str
    driver: str
    memory_bytes: int | None
    sm_clock_mhz: float | None
    """As it was at that moment; idle clocks are low."""
    max_sm_clock_mhz: float | None
    power_limit_w: float | None


def gpus() -> tuple[Gpu, ...]:
    """The GPUs that ``nvidia-smi`` lists; none if it is missing, fails or hangs."""
    table = output("nvidia-smi", f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits")
    return tuple(_gpu(line) for line in (table or "").splitlines())


def names() -> list[str]:
    """The GPUs by name, such as ``NVIDIA H100 80GB HBM3``, in the driver's order."""
    return [gpu.name for gpu in gpus()]


def _gpu(line: str) -> Gpu:
    name, driver, memory_mib, clock, max_clock, power = line.rsplit(", ", 5)
    memory = _number(memory_mib)
    return Gpu(
        name,
        driver,
        None if memory is None else int(memory * 2**20),
        _number(clock),
        _number(max_clock),
        _number(power),
    )


def _number(text: str) -> float | None:
    """None for what the driver writes in place of a number, such as ``[N/A]``."""
    try:
        return float(text)
    except ValueError:
        return None
