"""Workers get the right cores."""

import os
import sys

import pytest

from harness.devices import cpu
from harness.types import UsageError

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux provides")


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
