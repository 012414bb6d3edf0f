"""Who else is on the GPU, and whether it slows itself down, by the driver's own library.

``nvidia-smi`` tells the same, but takes a good part of a second and a core to do so, which is too
much between two blocks.

Source: NVML API Reference Guide, Device Queries.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import byref, c_uint, c_ulonglong, c_void_p
from typing import Any

_LIBRARY = "libnvidia-ml.so.1"
_SUCCESS, _MORE_THAN_ASKED_FOR = 0, 7
_SLOWED = 0x08 | 0x20 | 0x40 | 0x80
"""Clock event reasons: hardware slowdown, too hot (by software and by hardware), power brake. Not
among them is the card's own power limit, which is how it always runs under full load."""


class Gpu:
    """One GPU."""

    def __init__(self, library: Any, handle: c_void_p) -> None:
        self._library = library
        self._handle = handle

    def others(self) -> int:
        """How many processes compute on it beside this one; 0 if the driver does not tell.

        They are only counted: inside a container the driver's process ids are not ours.
        """
        count = c_uint(0)
        answer = self._library.nvmlDeviceGetComputeRunningProcesses_v3(
            self._handle, byref(count), None
        )
        told = answer in (_SUCCESS, _MORE_THAN_ASKED_FOR)
        return max(0, count.value - 1) if told else 0

    def slowed(self) -> bool:
        """Whether its clock is held down at this moment by heat or by the power supply."""
        reasons = c_ulonglong(0)
        answer = self._library.nvmlDeviceGetCurrentClocksThrottleReasons(
            self._handle, byref(reasons)
        )
        return answer == _SUCCESS and bool(reasons.value & _SLOWED)


def first(library: Any = None) -> Gpu | None:
    """The GPU that frameworks call ``cuda``: the first one visible; None if nothing tells of it.

    Args:
        library: in place of the driver's.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
    handle = c_void_p()
    try:
        driver = library or ctypes.CDLL(_LIBRARY)
        if driver.nvmlInit_v2() != _SUCCESS:
            return None
        if visible.isdecimal():
            found = driver.nvmlDeviceGetHandleByIndex_v2(c_uint(int(visible)), byref(handle))
        else:
            found = driver.nvmlDeviceGetHandleByUUID(visible.encode(), byref(handle))
    except (OSError, AttributeError):  # no driver, or one of before these functions
        return None
    return Gpu(driver, handle) if found == _SUCCESS else None
