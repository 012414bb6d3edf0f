"""``asv continuous`` on the proof's cases, as its users run it.

A project has two commits without a difference. asv makes an environment of its own for it, which
gets this one's packages; that is done once and not counted.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.devices import cpu
from harness.verify.gate.repository import commit, initialize
from harness.verify.gate.runs import share_packages

_SUITE = """
import functools, os
from harness import frameworks
from harness.verify import bench

TORCH = frameworks.get("torch")

@functools.cache
def start():
    if {cores!r}:
        os.sched_setaffinity(0, {cores!r})
    TORCH.start("cpu", 1)

class Layers:
    params = {ids!r}

    def setup(self, case):
        start()
        self.call = bench.opened(TORCH, case)

    def time_layer(self, case):
        self.call()
"""
NEEDED = ("asv", "virtualenv")


class UnavailableError(Exception):
    """asv cannot be run here; the message says why."""


@contextlib.contextmanager
def project(ids: Sequence[str]) -> Iterator[Path]:
    """A folder in which `continuous` can run.

    Raises:
        UnavailableError: asv is not installed, or cannot make its environment.
    """
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise UnavailableError(f"{' and '.join(missing)} not installed")
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "project"
        (folder / "benchmarks").mkdir(parents=True)
        (folder / "benchmarks" / "__init__.py").touch()
        suite = _SUITE.format(ids=list(ids), cores=cpu.cores(1))
        (folder / "benchmarks" / "layers.py").write_text(suite, encoding="utf-8")
        (folder / "asv.conf.json").write_text(json.dumps(_configuration()), encoding="utf-8")
        initialize(folder)
        commit(folder, "base")
        commit(folder, "head, with nothing changed")
        set_up = _asv(folder, "setup")  # its exit status says nothing; one that fails is removed
        environments = [made.parent for made in folder.glob("env/*/asv-env-info.json")]
        if not environments:
            reason = (set_up.stdout.strip().splitlines() or ["no reason given"])[-1]
            raise UnavailableError(f"asv cannot make its environment: {reason}")
        for environment in environments:
            share_packages(Path(sysconfig.get_path("purelib", "venv", {"base": str(environment)})))
        _asv(folder, "machine", "--yes").check_returncode()
        yield folder


def _configuration() -> dict[str, object]:
    return {
        "version": 1,
        "project": "layers",
        "repo": ".",
        "branches": ["HEAD"],
        "environment_type": "virtualenv",
        "env_dir": "env",
        "pythons": [f"{sys.version_info.major}.{sys.version_info.minor}"],
        "install_command": [],
        "uninstall_command": [],
        "build_command": [],
    }


def continuous(folder: Path, threshold: float) -> int:
    """How many cases it calls slower by more than the threshold.

    Raises:
        RuntimeError: it did not measure all; the message is the end of what it said.
    """
    done = _asv(folder, "continuous", f"--factor={1 + threshold}", "HEAD~1", "HEAD")
    slower = sum(line.startswith("| + ") for line in done.stdout.splitlines())
    if done.returncode != bool(slower):
        raise RuntimeError(f"asv continuous ended with {done.returncode}: {done.stdout[-1000:]}")
    return slower


def _asv(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What it would leave at home, on the machine, goes into the folder's parent."""
    return subprocess.run(
        [sys.executable, "-m", "asv", *arguments],
        check=False,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "HOME": str(folder.parent)},
    )
