"""Workers get the right cores, and the peak memory of a call is the true one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.devices import cpu
from harness.types import UsageError

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux provides")

MEASURE = """
import json
import numpy as np
from harness.devices.cpu import peak_memory

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
    "touched": [(mib, *peak_memory(touch(mib))) for mib in (1, 4, 16, 64, 256)],
    "short_lived": [(mib, *peak_memory(short_lived(mib))) for mib in (256, 64, 16, 4, 1)],
    "nothing": [peak_memory(lambda: None)[0] for _ in range(5)],
    "reused": [peak_memory(lambda: [bytes(1000) for _ in range(20_000)])[0] for _ in range(3)],
    "asked_not_touched": peak_memory(lambda: np.empty(256 * MIB, np.uint8))[0],
}))
"""


@pytest.fixture
def topology(tmp_path, monkeypatch):
    """Gives this process CPUs, and each the siblings that the text names."""

    def install(siblings: dict[int, str]) -> None:
        for number, text in siblings.items():
            folder = tmp_path / f"cpu{number}/topology"
            folder.mkdir(parents=True)
            (folder / "thread_siblings_list").write_text(text + "\n")
        monkeypatch.setattr(cpu, "_TOPOLOGY", tmp_path)
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(siblings))

    return install


@linux
def test_the_last_cores_are_given_and_the_first_left(topology):
    topology({number: str(number) for number in range(8)})
    assert cpu.cores(1) == (7,)
    assert cpu.cores(3) == (5, 6, 7)
    assert cpu.cores(8) == tuple(range(8))


@linux
def test_one_thread_a_physical_core_before_a_second_of_any(topology):
    topology({0: "0,4", 1: "1,5", 2: "2,6", 3: "3,7", 4: "0,4", 5: "1,5", 6: "2,6", 7: "3,7"})
    assert cpu.cores(2) == (2, 3)
    assert cpu.cores(4) == (0, 1, 2, 3)
    assert cpu.cores(6) == (0, 1, 2, 3, 6, 7)


@linux
def test_neighbouring_siblings_are_told_apart_too(topology):
    topology({0: "0-1", 1: "0-1", 2: "2-3", 3: "2-3"})
    assert cpu.cores(1) == (2,)
    assert cpu.cores(2) == (0, 2)


@linux
def test_only_cpus_this_process_may_use_are_given(topology):
    topology({3: "3,7", 6: "2,6", 7: "3,7"})
    assert cpu.cores(1) == (6,)
    assert cpu.cores(2) == (3, 6)


@linux
def test_without_a_topology_every_cpu_is_a_core(topology, monkeypatch, tmp_path):
    topology({0: "0", 1: "1"})
    monkeypatch.setattr(cpu, "_TOPOLOGY", tmp_path / "missing")
    assert cpu.cores(2) == (0, 1)


@pytest.mark.parametrize("threads", [0, 3])
@linux
def test_asking_for_more_than_there_is_names_the_number_there_is(topology, threads):
    topology({0: "0", 1: "1"})
    with pytest.raises(UsageError, match=rf"{threads} threads .* ask for 1 to 2"):
        cpu.cores(threads)


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
    monkeypatch.setattr(cpu, "_PROCESS", tmp_path / "missing")
    peaks = iter([100, 150])
    monkeypatch.setattr(cpu, "_lifetime_peak", lambda: (next(peaks) * 2**30, "ru_maxrss"))
    bytes_, method = cpu.peak_memory(lambda: None)
    assert method == "ru_maxrss"
    assert 140 * 2**30 < bytes_ < 150 * 2**30


@linux
def test_below_an_earlier_peak_the_fallback_sees_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(cpu, "_PROCESS", tmp_path / "missing")
    monkeypatch.setattr(cpu, "_lifetime_peak", lambda: (2**40, "ru_maxrss"))
    assert cpu.peak_memory(lambda: None) == (0, "ru_maxrss")


def test_the_lifetime_peak_is_in_bytes():
    peak, _ = cpu._lifetime_peak()
    assert 2**20 < peak < 2**40


def test_an_error_in_the_call_comes_through():
    def call():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cpu.peak_memory(call)
