"""A git repository with a suite before and after a change."""

from __future__ import annotations

import subprocess
from pathlib import Path

TEMPLATE = Path(__file__).with_name("layers_template.py")
LAYERS = "layers.py"


def git(folder: Path, *command: str) -> str:
    """What git prints."""
    identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    done = subprocess.run(
        ["git", *identity, *command], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def make(folder: Path) -> Path:
    """A repository whose branch ``before`` lacks the change that the working tree has."""
    git(folder.parent, "init", "-q", "-b", "work", str(folder))
    text = TEMPLATE.read_text(encoding="utf-8")
    commit(folder, text, "before")
    git(folder, "branch", "before")
    commit(folder, text.replace("AFTER = False", "AFTER = True"), "after")
    return folder


def commit(folder: Path, text: str, message: str) -> None:
    """Writes the suite and commits it."""
    (folder / LAYERS).write_text(text, encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
