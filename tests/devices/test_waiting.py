"""What the kernel tells of waiting for a core."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.devices.waiting import waited_s, waits

_BURN = "while True: pass"


def test_one_computing_thread_is_kept_by_all_waits() -> None:
    assert waited_s({"1": 0, "2": 0}, {"1": 2_000_000, "2": 500_000}, 1) == pytest.approx(2.5e-3)


def test_several_are_kept_by_the_one_that_waited_longest_in_between() -> None:
    before = {"importer": 10**10, "a": 1_000_000, "b": 2_000_000}
    after = {"importer": 10**10, "a": 5_000_000, "b": 3_000_000, "new": 2_000_000}
    assert waited_s(before, after, 4) == pytest.approx(4e-3)


def test_a_thread_that_ends_takes_nothing_away() -> None:
    assert waited_s({"1": 5, "gone": 10**9}, {"1": 1_000_005}, 1) == pytest.approx(1e-3)


def test_the_kernel_is_read_thread_by_thread(tmp_path: Path) -> None:
    for name, text in {"1": "1000 7 3\n", "2": "1000 9 3\n", "ending": ""}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "schedstat").write_text(text)
    assert waits(tmp_path) == {"1": 7, "2": 9}


def test_a_kernel_that_does_not_tell_is_not_guessed_at(tmp_path: Path) -> None:
    assert waits(tmp_path / "nothing") == {}
    assert waited_s({}, {}, 1) == waited_s({}, {}, 2) == 0


@pytest.mark.skipif(not waits(), reason="this kernel does not tell")
def test_what_a_neighbour_takes_is_what_the_clock_shows_beyond_the_work() -> None:
    before = os.sched_getaffinity(0)
    core = {max(before)}
    os.sched_setaffinity(0, core)
    hogs = [subprocess.Popen([sys.executable, "-c", _BURN]) for _ in range(2)]
    try:
        time.sleep(0.1)
        start, cpu, before_waits = time.perf_counter(), time.process_time(), waits()
        while time.process_time() - cpu < 0.1:
            pass
        wall = time.perf_counter() - start
        after = waits()
    finally:
        os.sched_setaffinity(0, before)
        for hog in hogs:
            hog.kill()
            hog.wait()
    assert wall > 0.12, "nothing disturbed it"
    assert wall - waited_s(before_waits, after, 1) == pytest.approx(0.1, rel=0.2)
