"""Asks another program a question that may go unanswered."""

from __future__ import annotations

import subprocess


def output(*command: str, timeout_s: float = 10.0) -> str | None:
    """What the command prints, stripped; None if it is missing, fails or does not come back."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
