"""What the kernel tells of waiting for a core."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from harness.devices.waiting import Reading, read, waited_s

_BURN = "while True: pass"


def _readings(
    before: Mapping[str, int], after: Mapping[str, int], ran_s: float = 0.0, lasted_s: float = 1.0
) -> tuple[Reading, Reading]:
    return Reading(before, 0.0, 0.0, 0.0), Reading(after, ran_s, lasted_s, lasted_s)


def test_one_computing_thread_is_kept_by_all_waits() -> None:
    readings = _readings({"1": 0, "2": 0}, {"1": 2_000_000, "2": 500_000})
    assert waited_s(*readings, 1) == pytest.approx(2.5e-3)


def test_several_are_kept_by_the_one_that_waited_longest_in_between() -> None:
    before = {"importer": 10**10, "a": 1_000_000, "b": 2_000_000}
    after = {"importer": 10**10, "a": 5_000_000, "b": 3_000_000, "new": 2_000_000}
    assert waited_s(*_readings(before, after), 4) == pytest.approx(4e-3)


def test_a_thread_that_ends_takes_nothing_away() -> None:
    readings = _readings({"1": 5, "gone": 10**9}, {"1": 1_000_005})
    assert waited_s(*readings, 1) == pytest.approx(1e-3)


def test_what_its_own_threads_ran_was_not_taken_by_others() -> None:
    waits = {"1": 0, "2": 0}, {"1": 1_000_000, "2": 1_000_000}
    assert waited_s(*_readings(*waits, ran_s=2e-3, lasted_s=2e-3), 1) == 0
    assert waited_s(*_readings(*waits, ran_s=2e-3, lasted_s=3e-3), 1) == pytest.approx(1e-3)
    assert waited_s(*_readings(*waits, ran_s=2e-3, lasted_s=1.4e-3), 2) == pytest.approx(0.4e-3)


def test_the_kernel_is_read_thread_by_thread(tmp_path: Path) -> None:
    for name, text in {"1": "1000 7 3\n", "2": "1000 9 3\n", "ending": ""}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "schedstat").write_text(text)
    assert read(tmp_path).waited == {"1": 7, "2": 9}


def test_a_kernel_that_does_not_tell_is_not_guessed_at(tmp_path: Path) -> None:
    assert read(tmp_path / "nothing").waited == {}
    assert waited_s(*_readings({}, {}), 1) == waited_s(*_readings({}, {}), 2) == 0


@pytest.fixture
def one_core() -> Iterator[None]:
    """This process on its last core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    yield
    os.sched_setaffinity(0, before)


def _measured(work: Callable[[], None]) -> tuple[float, float]:
    """Wall time, and that without what others took."""
    before = read()
    start = time.perf_counter()
    work()
    wall = time.perf_counter() - start
    return wall, wall - waited_s(before, read(), 1)


def _burn(seconds: float) -> None:
    start = time.thread_time()
    while time.thread_time() - start < seconds:
        pass


needs_kernel = pytest.mark.skipif(not read().waited, reason="this kernel does not tell")


@needs_kernel
@pytest.mark.usefixtures("one_core")
def test_what_a_neighbour_takes_is_what_the_clock_shows_beyond_the_work() -> None:
    hogs = [subprocess.Popen([sys.executable, "-c", _BURN]) for _ in range(2)]
    try:
        time.sleep(0.1)
        wall, own = _measured(lambda: _burn(0.1))
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
    assert wall > 0.12, "nothing disturbed it"
    assert own == pytest.approx(0.1, rel=0.2)


@needs_kernel
@pytest.mark.usefixtures("one_core")
def test_what_a_second_thread_of_its_own_takes_is_its_own() -> None:
    def both() -> None:
        other = threading.Thread(target=_burn, args=(0.1,))
        other.start()
        _burn(0.1)
        other.join()

    _, own = _measured(both)
    assert own >= 0.18
