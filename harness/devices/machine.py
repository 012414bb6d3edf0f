"""Which machine a result comes from, in JSON types, and what a process may still use of it."""

from __future__ import annotations

import hashlib
import platform
import re
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from harness.devices import cgroup, cuda
from harness.devices.command import output

_DISTRIBUTIONS = {
    "layerbench": ("layerbench",),
    "numpy": ("numpy",),
    "torch": ("torch",),
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
    "keras": ("keras",),
}
_FILLER = re.compile(r"\((r|tm|c)\)|\bcpu\b|\bprocessor\b|\b\d+-core\b|\bwith\b.*|@.*|\bnvidia\b")


def describe(root: Path = Path("/")) -> dict[str, Any]:
    """The machine, its software and the commit of the working directory; None where unknown.

    Clocks are MHz, sizes bytes, power W. ``container`` holds the limits of this process's
    control group. ``git_dirty`` looks at tracked files only, because results land beside them.

    Args:
        root: where ``proc``, ``sys`` and ``etc`` are.
    """
    gpus = cuda.gpus()
    cpu = _cpu(root)
    memory = psutil.virtual_memory().total
    limits = cgroup.limits(root)
    commit = output("git", "rev-parse", "HEAD")
    changes = output("git", "--no-optional-locks", "status", "--porcelain", "-uno")
    return {
        "machine_id": _machine_id(
            cpu["model"],
            cpu["physical_cores"] or cpu["logical_cores"],
            memory,
            [gpu.name for gpu in gpus],
            _installation(root),
        ),
        "cpu": cpu,
        "memory_bytes": memory,
        "container": {"cpus": limits.cpus, "memory_bytes": limits.memory_bytes},
        "gpus": [asdict(gpu) for gpu in gpus],
        "os": platform.platform(),
        "python": platform.python_version(),
        "versions": _versions(),
        "git_commit": commit,
        "git_dirty": None if commit is None or changes is None else changes != "",
    }


def total_memory_bytes() -> int:
    """What the machine has, or its container may use."""
    total = int(psutil.virtual_memory().total)
    limit = cgroup.limits().memory_bytes
    return total if limit is None else min(total, limit)


def available_memory_bytes() -> int:
    """What this process may still allocate: the machine's free memory or its group's headroom."""
    free = int(psutil.virtual_memory().available)
    headroom = cgroup.limits().memory_headroom_bytes
    return free if headroom is None else min(free, headroom)


def _cpu(root: Path) -> dict[str, Any]:
    system = root / "sys/devices/system/cpu"
    governors = {_read(path) for path in system.glob("cpu[0-9]*/cpufreq/scaling_governor")}
    return {
        "model": _cpu_model(root),
        "logical_cores": psutil.cpu_count() or 1,
        "physical_cores": psutil.cpu_count(logical=False),
        "governor": ", ".join(sorted(filter(None, governors))) or None,
        "turbo": _turbo(system),
        "max_mhz": _max_mhz(),
    }


def _cpu_model(root: Path) -> str:
    match = re.search(r"^model name\s*:(.+)$", _read(root / "proc/cpuinfo") or "", re.MULTILINE)
    if match:
        return match[1].strip()
    on_macos = output("sysctl", "-n", "machdep.cpu.brand_string")
    return on_macos or platform.processor() or platform.machine()


def _max_mhz() -> float | None:
    try:
        frequency = psutil.cpu_freq()
    except (OSError, RuntimeError):  # virtual machines on macOS
        return None
    return (frequency.max or None) if frequency else None


def _turbo(system: Path) -> bool | None:
    off_on_intel = _read(system / "intel_pstate/no_turbo")
    if off_on_intel is not None:
        return off_on_intel == "0"
    boost = _read(system / "cpufreq/boost")
    return None if boost is None else boost == "1"


def _machine_id(
    model: str, core_count: int, memory_bytes: int, gpu_names: Sequence[str], installation: str
) -> str:
    """A name for a folder, such as ``amd-epyc-2c-23g-1a2b3c``.

    The digits at the end are a salted hash of the hardware and of the installation's own id:
    they tell identical machines apart, outlive an upgrade of software and cannot be undone.
    """
    gibibytes = memory_bytes // 2**30
    facts = (model, str(core_count), str(gibibytes), *gpu_names, installation)
    digest = hashlib.sha256("\n".join(("layerbench machine", *facts)).encode()).hexdigest()
    parts = [_slug(model) or "cpu", f"{core_count}c", f"{gibibytes}g"]
    if gpu_names:
        count = f"{len(gpu_names)}x-" if len(gpu_names) > 1 else ""
        parts.append(count + (_slug(gpu_names[0]) or "gpu"))
    return "-".join((*parts, digest[:6]))


def _slug(text: str) -> str:
    """'Intel(R) Xeon(R) CPU @ 2.20GHz' -> 'intel-xeon'."""
    words = re.findall(r"[a-z0-9]+", _FILLER.sub(" ", text.lower()))
    return "-".join(words)[:32].rstrip("-")


def _installation(root: Path) -> str:
    """An id that two machines do not share; empty if nothing has one that lasts."""
    known = _read(root / "etc/machine-id") or _read(root / "var/lib/dbus/machine-id")
    if known:
        return known
    node = uuid.getnode()
    made_up = node >> 40 & 1  # the multicast bit marks a number drawn for want of an address
    return "" if made_up else f"{node:012x}"


def _versions() -> dict[str, str]:
    """Versions of what is installed and bears on a result, read without importing it."""
    versions: dict[str, str] = {}
    for name, distributions in _DISTRIBUTIONS.items():
        for distribution in distributions:
            try:
                versions[name] = metadata.version(distribution)
            except metadata.PackageNotFoundError:
                continue
            break
    return versions


def _read(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return None
