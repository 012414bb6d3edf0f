"""What the control group of this process allows, and has suffered; a container is one.

Source: Linux kernel documentation, admin-guide/cgroup-v2.rst and admin-guide/cgroup-v1/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_UNLIMITED = 2**60
"""Version 1 writes 'no memory limit' as the largest number that fits, rounded to pages."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The tightest limits of this process's group and the groups around it; None: no limit."""

    cpus: float | None
    """CPU seconds a second."""
    memory_bytes: int | None
    memory_headroom_bytes: int | None
    """What may still be allocated; file pages that can be dropped at once count as free."""


def limits(root: Path = Path("/")) -> Limits:
    """The limits in force; none on systems without control groups.

    Args:
        root: where ``proc`` and ``sys`` are.
    """
    cpus: list[float] = []
    memory: list[int] = []
    headroom: list[int] = []
    for group in _groups(root):
        share = _cpus(group)
        if share is not None:
            cpus.append(share)
        limit = _first(group, "memory.max", "memory.limit_in_bytes")
        used = _first(group, "memory.current", "memory.usage_in_bytes")
        if limit is not None and limit < _UNLIMITED:
            memory.append(limit)
            headroom.append(max(0, limit - (used or 0) + _droppable(group)))
    return Limits(min(cpus, default=None), min(memory, default=None), min(headroom, default=None))


def cpu_stats(root: Path = Path("/")) -> Iterator[Path]:
    """The files that tell how long this process's groups were kept from their cores."""
    files = (group / "cpu.stat" for group in _groups(root))
    return (file for file in files if _throttled_s(file) is not None)


def throttled_s(stats: Iterable[Path]) -> dict[str, float]:
    """By file, seconds since the group began in which it had used up its share; cores add up.

    Args:
        stats: what `cpu_stats` gave.
    """
    found = {str(file): _throttled_s(file) for file in stats}
    return {name: seconds for name, seconds in found.items() if seconds is not None}


def _throttled_s(stat: Path) -> float | None:
    """Version 2 counts microseconds, version 1 nanoseconds."""
    text = _read(stat) or ""
    match = re.search(r"^throttled_(usec|time) (\d+)$", text, re.MULTILINE)
    return int(match[2]) * (1e-6 if match[1] == "usec" else 1e-9) if match else None


def oom_kills(root: Path = Path("/")) -> int:
    """How many processes of this process's group the kernel has killed for want of memory.

    Of the whole machine where the group does not tell, and 0 where nothing does. Only a
    difference means something.

    Args:
        root: where ``proc`` and ``sys`` are.

    Source: as above, memory.events and memory.oom_control; Linux, mm/vmstat.c.
    """
    files = [
        group / name for group in _groups(root) for name in ("memory.events", "memory.oom_control")
    ]
    for file in (*files, root / "proc/vmstat"):
        for line in (_read(file) or "").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def _groups(root: Path) -> Iterator[Path]:
    """Folders of this process's cpu and memory groups, version 1 or 2, each with its parents."""
    try:
        memberships = (root / "proc/self/cgroup").read_text().splitlines()
        mounts = (root / "proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return
    paths: dict[str, PurePosixPath] = {}
    for line in memberships:
        _, names, path = line.split(":", 2)
        paths |= dict.fromkeys(names.split(","), PurePosixPath(path))
    for line in mounts:
        mount, _, system = line.partition(" - ")
        mount_root, mount_point = mount.split()[3:5]
        kind, _, options = system.split(maxsplit=2)
        # Version 2 has one hierarchy, whose membership line names no controller.
        controllers = {"cgroup2": {""}, "cgroup": {"cpu", "memory"} & set(options.split(","))}
        for controller in controllers.get(kind, set()) & paths.keys():
            own = paths[controller]
            top = root / mount_point.lstrip("/")
            folder = top
            if own.is_relative_to(mount_root):
                folder = top / own.relative_to(mount_root)
            yield folder
            while folder != top:
                folder = folder.parent
                yield folder


def _cpus(group: Path) -> float | None:
    quota, _, period = (_read(group / "cpu.max") or "").partition(" ")
    if not quota:
        quota = _read(group / "cpu.cfs_quota_us") or ""
        period = _read(group / "cpu.cfs_period_us") or ""
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None


def _droppable(group: Path) -> int:
    """Bytes of file pages on the inactive list, which the kernel takes back first."""
    lines = (_read(group / "memory.stat") or "").splitlines()
    counts: dict[str, str] = dict(line.split(maxsplit=1) for line in lines)
    # Version 1 counts what a group's children hold apart, under total_.
    return int(counts.get("total_inactive_file", counts.get("inactive_file", 0)))


def _first(group: Path, *names: str) -> int | None:
    """The number in the first of these files that holds one."""
    for name in names:
        text = _read(group / name) or ""
        if text.isdecimal():
            return int(text)
    return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
