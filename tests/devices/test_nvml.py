"""The driver's library, played by an object that answers as it is documented to."""

from __future__ import annotations

from typing import Any

import pytest

from harness.devices import nvml

TOO_SMALL, NOT_SUPPORTED = 7, 3
HOT, IDLE, POWER_CAP = 0x40, 0x01, 0x04


class Driver:
    def __init__(self, processes: int = 1, reasons: int = 0, answer: int = 0) -> None:
        self.processes, self.reasons, self.answer = processes, reasons, answer
        self.asked_for: Any = None

    def nvmlInit_v2(self) -> int:  # noqa: N802 - the driver's own names
        return self.answer

    def nvmlDeviceGetHandleByIndex_v2(self, index: Any, handle: Any) -> int:  # noqa: N802
        self.asked_for = index.value
        return 0

    def nvmlDeviceGetHandleByUUID(self, uuid: bytes, handle: Any) -> int:  # noqa: N802
        self.asked_for = uuid
        return 0

    def nvmlDeviceGetComputeRunningProcesses_v3(  # noqa: N802
        self, handle: Any, count: Any, infos: None
    ) -> int:
        count._obj.value = self.processes
        return TOO_SMALL if self.processes else 0

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: Any, reasons: Any) -> int:  # noqa: N802
        reasons._obj.value = self.reasons
        return 0


@pytest.fixture(autouse=True)
def _all_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.parametrize(("processes", "others"), [(0, 0), (1, 0), (3, 2)])
def test_all_processes_but_this_one_are_others(processes: int, others: int) -> None:
    gpu = nvml.first(Driver(processes))
    assert gpu is not None
    assert gpu.others() == others


@pytest.mark.parametrize(
    ("reasons", "slowed"), [(0, False), (IDLE | POWER_CAP, False), (HOT | IDLE, True)]
)
def test_heat_slows_a_gpu_and_its_own_power_limit_does_not(reasons: int, slowed: bool) -> None:
    gpu = nvml.first(Driver(reasons=reasons))
    assert gpu is not None
    assert gpu.slowed() is slowed


@pytest.mark.parametrize(("visible", "asked"), [(None, 0), ("2,0", 2), ("GPU-ab12", b"GPU-ab12")])
def test_the_first_visible_gpu_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, asked: object
) -> None:
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    driver = Driver()
    assert nvml.first(driver) is not None
    assert driver.asked_for == asked


def test_where_nothing_tells_of_a_gpu_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert nvml.first(Driver(answer=NOT_SUPPORTED)) is None
    assert nvml.first(object()) is None
    monkeypatch.setattr(nvml, "_LIBRARY", "libthere-is-none.so")
    assert nvml.first() is None
