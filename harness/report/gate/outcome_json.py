"""The outcome itself, which `Outcome.from_json` reads again."""

from __future__ import annotations

import json

from harness.gate.outcome import Outcome


def render(outcome: Outcome) -> str:
    """All of it, in ASCII, so that nothing in it can act on a terminal or be no text at all."""
    return json.dumps(outcome.to_json(), indent=1, allow_nan=False) + "\n"
