"""What the kernel counts while a process is watched, from files as it writes them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from harness.devices import watch
from harness.devices.watch import Watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells so, and no other")
CORE = "sys/devices/system/cpu/cpu3"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system on whose core 3 the process runs."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3})
    return tmp_path


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")


def stat(steal: int) -> str:
    """Columns: user nice system idle iowait irq softirq steal guest guest_nice."""
    others = "cpu  9 0 9 9 0 0 0 99 0 0\ncpu2 9 0 9 9 0 0 0 99 0 0"
    return f"{others}\ncpu3 9 0 9 9 0 0 0 {steal} 0 0\nintr 12 0 0"


def told(root: Path, before: dict[str, str], after: dict[str, str]) -> dict[str, float]:
    write(root, before)
    end = Watch(1, root=root)()
    write(root, after)
    return end()


def test_what_a_system_does_not_tell_is_left_out(root: Path) -> None:
    found = Watch(1, root=root)()()
    assert found.keys() == {"suspended", "stopped", "faults"}
    assert (found["stopped"], found["faults"]) == (0, 0)
    assert found["suspended"] == pytest.approx(0, abs=0.05)


def test_steal_is_that_of_its_own_cores_less_the_tick_that_may_have_begun_before(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch.waiting, "read", _readings(0.1))
    assert told(root, {"proc/stat": stat(7)}, {"proc/stat": stat(12)})["stolen"] == (
        pytest.approx(4 / os.sysconf("SC_CLK_TCK") / 0.1)
    )
    monkeypatch.setattr(watch.waiting, "read", _readings(0.1))
    assert told(root, {"proc/stat": stat(7)}, {"proc/stat": stat(8)})["stolen"] == 0


def _readings(lasted_s: float) -> object:
    """Two moments, in between which it ran all the time."""
    readings = iter(watch.waiting.Reading({}, moment, moment, moment) for moment in (0.0, lasted_s))
    return lambda tasks: next(readings)


def test_a_group_that_used_up_its_share_was_throttled(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch.waiting, "read", _readings(0.1))
    group = "sys/fs/cgroup"
    write(
        root,
        {
            "proc/self/cgroup": "0::/",
            "proc/self/mountinfo": f"30 23 0:26 / /{group} rw - cgroup2 cgroup2 rw",
        },
    )
    stats = (f"usage_usec 9\nnr_throttled 1\nthrottled_usec {usec}" for usec in (5000, 25000))
    before, after = ({f"{group}/cpu.stat": text} for text in stats)
    assert told(root, before, after)["throttled"] == pytest.approx(0.2)


def test_heat_is_counted_core_by_core(root: Path) -> None:
    file = f"{CORE}/thermal_throttle/core_throttle_count"
    assert told(root, {file: "5"}, {file: "7"})["overheated"] == 2


def test_swapped_pages_are_those_in_and_out(root: Path) -> None:
    before, after = "pgfault 9\npswpin 100\npswpout 20", "pgfault 99\npswpin 150\npswpout 30"
    assert told(root, {"proc/vmstat": before}, {"proc/vmstat": after})["swapped"] == 60


@pytest.mark.parametrize(
    ("nominal", "khz", "ran", "slowed"),
    [
        ({"cpufreq/base_frequency": "2000000"}, "1500000", 1.0, 0.25),
        ({"acpi_cppc/nominal_freq": "2000"}, "1500000", 1.0, 0.25),
        ({"cpufreq/base_frequency": "2000000"}, "3100000", 1.0, 0.0),
        ({"cpufreq/base_frequency": "2000000"}, "800000", 0.2, 0.0),
    ],
)
def test_a_clock_below_the_nominal_one_is_told_of_a_process_that_computes(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    nominal: dict[str, str],
    khz: str,
    ran: float,
    slowed: float,
) -> None:
    readings = iter((watch.waiting.Reading({}, 0, 0, 0), watch.waiting.Reading({}, ran, 1, 1)))
    monkeypatch.setattr(watch.waiting, "read", lambda tasks: next(readings))
    files = {f"{CORE}/{name}": text for name, text in nominal.items()}
    write(root, {**files, f"{CORE}/cpufreq/scaling_cur_freq": khz})
    assert Watch(1, root=root)()()["slowed"] == pytest.approx(slowed)


def test_waiting_is_a_share_of_the_time(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = iter(
        (
            watch.waiting.Reading({"1": 0}, 0.0, 0.0, 0.0),
            watch.waiting.Reading({"1": 30_000_000}, 0.07, 0.1, 0.1),
        )
    )
    monkeypatch.setattr(watch.waiting, "read", lambda tasks: next(readings))
    assert Watch(1, root=root)()()["waiting"] == pytest.approx(0.3)


def test_this_machine_can_be_watched() -> None:
    found = Watch(1)()()
    assert all(amount >= 0 for amount in found.values())
    assert {"suspended", "stopped", "faults", "stolen", "swapped"} <= found.keys()
