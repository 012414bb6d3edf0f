"""Git repositories that the proofs make for themselves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

LIBRARY = Path(__file__).with_name("library")
"""A small layer library, as of its first commit, and the patch that is its second."""
PATCH = LIBRARY / "plain_attention.patch"
SUITE = "bench/layers.py"
_IDENTITY = ("user.name=nobody", "user.email=nobody@example.org", "commit.gpgsign=false")


def library(folder: Path) -> None:
    """The library in a new folder; its second commit drops the fused attention for the formula."""
    unwanted = shutil.ignore_patterns(PATCH.name, "__pycache__")
    shutil.copytree(LIBRARY, folder, ignore=unwanted)
    initialize(folder)
    commit(folder, "Self-attention and a gated unit")
    _git(folder, "apply", str(PATCH))
    commit(folder, "Attention as it is written in the paper")


def initialize(folder: Path) -> None:
    """Makes the folder a repository, whose commits are still to come."""
    _git(folder, "init", "--quiet")


def commit(folder: Path, message: str) -> None:
    """Commits all that is there, even if nothing changed."""
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--allow-empty", "--message", message)


def _git(folder: Path, *command: str) -> None:
    settings = [word for setting in _IDENTITY for word in ("-c", setting)]
    subprocess.run(["git", *settings, *command], cwd=folder, check=True, capture_output=True)
