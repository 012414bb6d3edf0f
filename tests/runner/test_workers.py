"""What workers are started with."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping

import pytest

from harness.runner import workers

FAULTS = """
import ctypes, resource
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
def call():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for mib in (4, 64):
        block = libc.malloc(mib * 2**20)
        ctypes.memset(block, 1, mib * 2**20)
        libc.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
call()
print(call())
"""


def _page_faults(environment: Mapping[str, str]) -> int:
    """Of a call like one before it, which takes and frees 4 and 64 MiB."""
    told = subprocess.run(
        [sys.executable, "-c", FAULTS], env=environment, capture_output=True, text=True, check=True
    )
    return int(told.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="settings of glibc")
def test_in_a_duel_memory_that_was_freed_is_used_again() -> None:
    assert _page_faults({}) > 1000
    assert _page_faults(workers.ENVIRONMENTS["duel"]) < 100
