"""The peak memory of a call is the true one, and what cannot be told is not claimed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.devices import memory

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux provides")

MEASURE = """
import json
import numpy as np
from harness.devices.memory import peak_memory

MIB = 2**20
peak_memory(lambda: None)

def touch(mib):
    return lambda: np.ones(int(mib * MIB), np.uint8)

def short_lived(mib):
    def call():
        np.ones(int(mib * MIB), np.uint8)
        return None
    return call

held = np.ones(64 * MIB, np.uint8)
print(json.dumps({
    "touched": [(mib, *peak_memory(touch(mib))[:2]) for mib in (1, 4, 16, 64, 256)],
    "short_lived": [(mib, *peak_memory(short_lived(mib))[:2]) for mib in (256, 64, 16, 4, 1)],
    "nothing": [peak_memory(lambda: None)[0] for _ in range(5)],
    "reused": [peak_memory(lambda: [bytes(1000) for _ in range(20_000)])[0] for _ in range(3)],
    "asked_not_touched": peak_memory(lambda: np.empty(256 * MIB, np.uint8))[0],
}))
"""


@pytest.fixture(scope="module")
def measured():
    """Peaks of known allocations, measured in a process that has done nothing else."""
    if sys.platform != "linux" or not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("the high-water mark cannot be reset here")
    done = subprocess.run(
        [sys.executable, "-c", MEASURE],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["touched", "short_lived"])
def test_known_allocations_are_seen_whatever_came_before(measured, kind):
    for mib, peak, method in measured[kind]:
        expected = mib * 2**20
        assert abs(peak - expected) <= max(2**20 // 2, 0.02 * expected), f"{kind} {mib} MiB"
        assert method == "VmHWM"


def test_a_call_that_allocates_nothing_has_no_peak(measured):
    assert max(measured["nothing"]) <= 64 * 1024


def test_memory_freed_by_an_earlier_call_counts_again(measured):
    first, *later = measured["reused"]
    assert first > 15e6
    assert min(later) > 0.9 * first


def test_memory_asked_for_and_not_touched_does_not_count(measured):
    assert measured["asked_not_touched"] < 2**20


@linux
def test_where_the_mark_cannot_be_reset_the_method_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_PROCESS", tmp_path / "missing")
    peaks = iter([100, 150])
    monkeypatch.setattr(memory, "_lifetime_peak", lambda: (next(peaks) * 2**30, "ru_maxrss"))
    reading = memory.peak_memory(lambda: None)
    assert reading.method == "ru_maxrss"
    assert 140 * 2**30 < reading.peak_bytes < 150 * 2**30


@linux
def test_below_an_earlier_peak_the_fallback_sees_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_PROCESS", tmp_path / "missing")
    monkeypatch.setattr(memory, "_lifetime_peak", lambda: (2**40, "ru_maxrss"))
    reading = memory.peak_memory(lambda: None)
    assert reading[:2] == (0, "ru_maxrss")
    assert reading.resolution_bytes == pytest.approx(2**40, rel=0.01)


def test_the_lifetime_peak_is_in_bytes():
    peak, _ = memory._lifetime_peak()
    assert 2**20 < peak < 2**40


def test_an_error_in_the_call_comes_through():
    def call():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        memory.peak_memory(call)


@linux
def test_what_the_kernel_can_resolve_follows_its_batches(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {5, 6})
    assert memory._resolution() == 128 * 2 * os.sysconf("SC_PAGE_SIZE")
