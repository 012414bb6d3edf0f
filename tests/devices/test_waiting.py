"""What the kernel tells of waiting for a core."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.devices.waiting import waited_s

_BURN = "while True: pass"


def _tasks(folder: Path, *waits_ns: int) -> Path:
    for index, wait in enumerate(waits_ns):
        (folder / str(index)).mkdir()
        (folder / str(index) / "schedstat").write_text(f"1000 {wait} 7\n")
    return folder


def test_one_computing_thread_is_kept_by_all_waits(tmp_path: Path) -> None:
    assert waited_s(1, _tasks(tmp_path, 2_000_000, 500_000)) == pytest.approx(2.5e-3)


def test_several_are_kept_by_the_longest(tmp_path: Path) -> None:
    assert waited_s(4, _tasks(tmp_path, 2_000_000, 500_000)) == pytest.approx(2e-3)


def test_a_kernel_that_does_not_tell_is_not_guessed_at(tmp_path: Path) -> None:
    assert waited_s(1, tmp_path / "nothing") is None
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "schedstat").write_text("")
    assert waited_s(1, tmp_path) is None


@pytest.mark.skipif(waited_s(1) is None, reason="this kernel does not tell")
def test_what_a_neighbour_takes_is_what_the_clock_shows_beyond_the_work() -> None:
    before = os.sched_getaffinity(0)
    core = {max(before)}
    os.sched_setaffinity(0, core)
    hogs = [subprocess.Popen([sys.executable, "-c", _BURN]) for _ in range(2)]
    try:
        time.sleep(0.1)
        start, cpu, waited = time.perf_counter(), time.process_time(), waited_s(1)
        while time.process_time() - cpu < 0.1:
            pass
        wall = time.perf_counter() - start
        after = waited_s(1)
    finally:
        os.sched_setaffinity(0, before)
        for hog in hogs:
            hog.kill()
            hog.wait()
    assert waited is not None
    assert after is not None
    assert wall > 0.12, "nothing disturbed it"
    assert wall - (after - waited) == pytest.approx(0.1, rel=0.2)
