"""The outcome itself, which `Outcome.from_text` reads again."""

from __future__ import annotations

from harness.gate.outcome import Outcome


def render(outcome: Outcome) -> str:
    """All of it."""
    return outcome.to_text()
