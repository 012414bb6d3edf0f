"""Limits are read from the process's own control group and the groups around it."""

from pathlib import Path

import pytest

from harness.devices.cgroup import Limits, limits, oom_kills

UNLIMITED_V1 = "9223372036854771712"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")


def v2(root: Path, membership: str, mount_root: str = "/") -> None:
    write(
        root,
        {
            "proc/self/cgroup": f"0::{membership}",
            "proc/self/mountinfo": (
                "22 1 0:21 / /proc rw shared:1 - proc proc rw\n"
                f"30 23 0:26 {mount_root} /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw"
            ),
        },
    )


def v1(root: Path, membership: str, mount_root: str) -> None:
    write(
        root,
        {
            "proc/self/cgroup": f"5:memory:{membership}\n4:cpu,cpuacct:{membership}\n0::/",
            "proc/self/mountinfo": (
                f"35 31 0:32 {mount_root} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                f"36 31 0:33 {mount_root} /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct"
            ),
        },
    )


def test_a_system_without_groups_has_no_limits(tmp_path):
    assert limits(tmp_path) == Limits(None, None, None)


def test_version_2_limits_inside_a_container(tmp_path):
    v2(tmp_path, "/")
    write(
        tmp_path / "sys/fs/cgroup",
        {
            "cpu.max": "150000 100000",
            "memory.max": "1000000",
            "memory.current": "700000",
            "memory.stat": "anon 300000\ninactive_file 250000\nactive_file 150000",
        },
    )
    assert limits(tmp_path) == Limits(1.5, 1_000_000, 550_000)


def test_version_2_without_limits(tmp_path):
    v2(tmp_path, "/")
    write(tmp_path / "sys/fs/cgroup", {"cpu.max": "max 100000", "memory.max": "max"})
    assert limits(tmp_path) == Limits(None, None, None)


def test_the_tightest_of_the_groups_around_counts(tmp_path):
    v2(tmp_path, "/user.slice/run.scope")
    write(
        tmp_path / "sys/fs/cgroup/user.slice",
        {
            "cpu.max": "200000 100000",
            "memory.max": "5000",
            "memory.current": "4900",
            "run.scope/cpu.max": "400000 100000",
            "run.scope/memory.max": "3000",
            "run.scope/memory.current": "100",
        },
    )
    assert limits(tmp_path) == Limits(2.0, 3000, 100)


def test_a_neighbouring_group_is_not_ours(tmp_path):
    v2(tmp_path, "/ours")
    write(
        tmp_path / "sys/fs/cgroup",
        {"ours/memory.max": "max", "theirs/memory.max": "10", "theirs/cpu.max": "1 100"},
    )
    assert limits(tmp_path) == Limits(None, None, None)


@pytest.mark.parametrize("mount_root", ["/", "/docker/abc"])
def test_version_1_limits_with_and_without_a_namespace(tmp_path, mount_root):
    v1(tmp_path, "/docker/abc", mount_root)
    folder = "" if mount_root != "/" else "docker/abc/"
    write(
        tmp_path / "sys/fs/cgroup",
        {
            f"cpu/{folder}cpu.cfs_quota_us": "50000",
            f"cpu/{folder}cpu.cfs_period_us": "100000",
            f"memory/{folder}memory.limit_in_bytes": "4096000",
            f"memory/{folder}memory.usage_in_bytes": "4000000",
            f"memory/{folder}memory.stat": "inactive_file 1\ntotal_inactive_file 1000",
        },
    )
    assert limits(tmp_path) == Limits(0.5, 4_096_000, 97_000)


def test_version_1_without_limits(tmp_path):
    v1(tmp_path, "/", "/")
    write(
        tmp_path / "sys/fs/cgroup",
        {
            "cpu/cpu.cfs_quota_us": "-1",
            "cpu/cpu.cfs_period_us": "100000",
            "memory/memory.limit_in_bytes": UNLIMITED_V1,
            "memory/memory.usage_in_bytes": "1000",
        },
    )
    assert limits(tmp_path) == Limits(None, None, None)


def test_headroom_is_never_negative(tmp_path):
    v2(tmp_path, "/")
    write(tmp_path / "sys/fs/cgroup", {"memory.max": "1000", "memory.current": "1200"})
    assert limits(tmp_path).memory_headroom_bytes == 0


def test_version_1_counts_the_groups_around(tmp_path):
    v1(tmp_path, "/docker/abc", "/")
    write(
        tmp_path / "sys/fs/cgroup/memory/docker",
        {
            "memory.limit_in_bytes": "9000",
            "memory.usage_in_bytes": "8500",
            "abc/memory.limit_in_bytes": UNLIMITED_V1,
            "abc/memory.usage_in_bytes": "8000",
        },
    )
    assert limits(tmp_path) == Limits(None, 9000, 500)


@pytest.mark.parametrize(
    ("files", "kills"),
    [
        ({"sys/fs/cgroup/run.scope/memory.events": "low 0\noom 3\noom_kill 2"}, 2),
        ({"sys/fs/cgroup/memory.events": "oom_kill 4", "proc/vmstat": "oom_kill 7"}, 4),
        ({"proc/vmstat": "pgfault 9\noom_kill 7"}, 7),
        ({}, 0),
    ],
)
def test_processes_killed_for_memory_are_those_of_the_group_if_it_tells(tmp_path, files, kills):
    v2(tmp_path, "/run.scope")
    write(tmp_path, files)
    assert oom_kills(tmp_path) == kills


def test_version_1_tells_of_processes_killed_for_memory(tmp_path):
    v1(tmp_path, "/docker/abc", "/docker/abc")
    files = {"memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 5"}
    write(tmp_path / "sys/fs/cgroup/memory", files)
    assert oom_kills(tmp_path) == 5
