"""Makes .venv and installs layerbench into it, with the builds that suit this machine.

The Makefile runs it before every target that needs Python packages, with any Python 3.11 or
newer and its standard library. It is quick when there is nothing to do: a stamp inside .venv
says what was installed.

On Linux the plain torch wheel is the CUDA build of several GB. Without an NVIDIA GPU the CPU
build is required instead, which has the local version ``+cpu`` and comes from PyTorch's own
index unless an index that pip is configured with offers it. Keeping the two apart by their local
version works because the constraint ``torch==X`` admits ``X+cpu`` too.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
INPUTS = ("pyproject.toml", "constraints.txt", "tools/install.py")
"""What decides the content of .venv; a change to any of them is installed."""
FRAMEWORKS = ("torch", "tensorflow")
OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON_FOR_TENSORFLOW = (3, 13)
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
GPU_TIMEOUT_S = 20.0
INDEX_TIMEOUT_S = 300.0


class InstallError(Exception):
    """Why it cannot be installed and what to do, in one line."""


def parse_frameworks(text: str) -> list[str]:
    """'torch tensorflow' or 'torch,tensorflow' -> the frameworks, in a fixed order."""
    asked = set(re.split(r"[\s,]+", text.strip()))
    unknown = sorted(asked - set(FRAMEWORKS))
    if unknown:
        raise InstallError(
            f"FRAMEWORKS={text!r} is not one or more of: {' '.join(FRAMEWORKS)}"
            if unknown == [""]
            else f"FRAMEWORKS names {' '.join(unknown)}; there are: {' '.join(FRAMEWORKS)}"
        )
    return [name for name in FRAMEWORKS if name in asked]


def check_python(version: tuple[int, int], frameworks: Sequence[str]) -> None:
    """Refuses a Python that a wheel is missing for, before anything is downloaded."""
    name = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        raise InstallError(
            f"Python 3.11 or newer is needed and this is {name}: "
            "name another one with PYTHON=path/to/python"
        )
    if "tensorflow" in frameworks and version > NEWEST_PYTHON_FOR_TENSORFLOW:
        raise InstallError(
            f"TensorFlow has no wheels for Python {name}: take another one, such as "
            "PYTHON=python3.13, or go on without TensorFlow: FRAMEWORKS=torch"
        )


def requirement(frameworks: Sequence[str], cuda: bool) -> str:
    """The project with the extras for these frameworks and for its tests."""
    extras = ["tensorflow-cuda" if cuda and f == "tensorflow" else f for f in frameworks]
    return f".[{','.join([*extras, 'test', 'browser'])}]"


def torch_arguments(
    constraints: str, system: str, cuda: bool, offered: Callable[[str], bool]
) -> list[str]:
    """What pip is told in addition, so that torch is the build for this machine.

    Args:
        constraints: text of the constraints file, which pins torch.
        system: ``Linux``, ``Darwin`` or ``Windows``.
        cuda: whether the CUDA build is wanted.
        offered: whether the indexes that pip is configured with have this requirement.
    """
    if system != "Linux":
        return []  # wheels on PyPI are CPU builds
    pin = re.search(r"^torch==(\S+)", constraints, re.MULTILINE)
    if not pin:
        raise InstallError("constraints.txt pins no torch: add a line torch==VERSION")
    if cuda:
        return [f"torch!={pin[1]}+cpu"]
    cpu_build = f"torch=={pin[1]}+cpu"
    if offered(cpu_build):
        return [cpu_build]
    return [cpu_build, "--extra-index-url", TORCH_CPU_INDEX]


def fingerprint(root: Path) -> str:
    """Changes when something other should be installed, or when .venv was moved and broke."""
    digest = hashlib.sha256(str(root).encode())
    for name in INPUTS:
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def is_current(installed: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether the stamp of what is installed covers what is wanted; more frameworks are fine."""
    more = set(installed.get("frameworks", ())) >= set(wanted["frameworks"])
    return more and {**installed, "frameworks": wanted["frameworks"]} == wanted


def has_gpu(system: str) -> bool:
    """Whether an NVIDIA GPU answers. The frameworks have CUDA builds for Linux only."""
    return system == "Linux" and succeeds(["nvidia-smi", "-L"], GPU_TIMEOUT_S)


def succeeds(command: Sequence[str | Path], timeout_s: float) -> bool:
    """Whether the command, run without a word, ends well and in time."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def run(command: Sequence[str | Path]) -> bool:
    """Whether the command, whose output the user sees, ends well."""
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def install(root: Path, frameworks: Sequence[str]) -> None:
    """Brings .venv to what is wanted, making it if there is none that works."""
    system = platform.system()
    cuda = has_gpu(system)
    venv = root / ".venv"
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp_file = venv / "layerbench-install.json"
    stamp: dict[str, Any] = json.loads(stamp_file.read_text()) if stamp_file.exists() else {}
    wanted = {"fingerprint": fingerprint(root), "cuda": cuda, "frameworks": list(frameworks)}
    if python.exists() and is_current(stamp, wanted):
        return

    stamp_file.unlink(missing_ok=True)
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check"]
    # tensorflow and tensorflow-cpu install the same files, so one is not put over the other.
    other_builds = stamp.get("cuda", cuda) != cuda
    if other_builds or not succeeds([*pip, "--version"], INDEX_TIMEOUT_S):
        check_python(sys.version_info[:2], frameworks)
        if not run([sys.executable, "-m", "venv", "--clear", venv]):
            raise InstallError(
                f"{sys.executable} cannot make .venv; its venv module may be missing "
                "(Debian and Ubuntu: apt install python3-venv)"
            )

    builds = "CUDA builds: about 10 GB" if cuda else "CPU builds: about 3 GB"
    print(f"Installing {', '.join(frameworks)} and tools into .venv ({builds}) ...", flush=True)
    arguments = ["--constraint", "constraints.txt", "--editable", requirement(frameworks, cuda)]
    if "torch" in frameworks:
        arguments += torch_arguments(
            (root / "constraints.txt").read_text(),
            system,
            cuda,
            lambda wanted: succeeds(
                [*pip, "install", "--dry-run", "--no-deps", wanted], INDEX_TIMEOUT_S
            ),
        )
    if not run([*pip, "install", *arguments]):
        each = " or ".join(f"make bench FRAMEWORKS={name}" for name in frameworks)
        one = f", or go on with one framework: {each}" if len(frameworks) > 1 else ""
        raise InstallError(f"pip says above why it failed; mend that and rerun{one}")
    stamp_file.write_text(json.dumps(wanted))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Make .venv and install layerbench into it.")
    parser.add_argument("--frameworks", default=" ".join(FRAMEWORKS), help="default: %(default)s")
    options = parser.parse_args(arguments)
    try:
        install(ROOT, parse_frameworks(options.frameworks))
    except InstallError as error:
        print(f"install: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("install: interrupted; the same command goes on with it", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
