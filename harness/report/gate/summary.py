"""A GitHub job summary: what the comment says, with room for all of it.

A step may write 1 MiB of it, and GitHub drops the whole of what is longer:
https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from harness.gate.outcome import Outcome
from harness.report.gate import markdown

LIMIT_BYTES = 2**20 - 1
LONGEST_TEXT = 2_000


def render(outcome: Outcome) -> str:
    """Markdown, less than 1 MiB."""
    return markdown.document(outcome, markdown.Room(LIMIT_BYTES, LONGEST_TEXT, "The JSON holds"))
