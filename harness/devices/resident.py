"""The memory that a process and what it started hold now, as the operating system counts it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

_PROCESSES = Path("/proc")
_HELD = re.compile(r"^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB", re.MULTILINE)
_SHARE = re.compile(r"^(?:Pss_Anon|Pss_Shmem|SwapPss):\s+(\d+) kB", re.MULTILINE)


def session_bytes(leader: int, ceiling: int) -> int:
    """What the processes of a session hold together; pages of files, which can be dropped, apart.

    On Linux. It takes some tenths of a millisecond, in which the processes go on: pages that
    several of them share are counted for each, and only where that comes to more than `ceiling`
    are the page tables walked to count them once. Elsewhere it is what the leader has resident.

    Args:
        leader: process id; the session is its own.
        ceiling: bytes up to which an upper bound will do.

    Source: proc_pid_status(5); Linux kernel documentation, ABI/testing/procfs-smaps_rollup.
    """
    if sys.platform != "linux":
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(leader).memory_info().rss)
        return 0
    members = list(_session(leader))
    bound = sum(_counted(_HELD, member, "status") for member in members)
    if bound <= ceiling:
        return bound
    return sum(_counted(_SHARE, member, "smaps_rollup") for member in members)


def _session(leader: int) -> Iterator[str]:
    for name in os.listdir(_PROCESSES):
        if name.isdecimal():
            with contextlib.suppress(OSError):  # it has just ended
                if os.getsid(int(name)) == leader:
                    yield name


def _counted(kinds: re.Pattern[str], process: str, file: str) -> int:
    try:
        text = (_PROCESSES / process / file).read_text(encoding="ascii")
    except OSError:  # it has just ended
        return 0
    return 1024 * sum(map(int, kinds.findall(text)))
