"""What a gate found, as text: for people, and for the tools that a CI hands results to.

Each format is one function from an `Outcome` to the whole content of a file. `wording` says
things in sentences and `tables` in tables; the modules named as the formats lay these out, or
write the figures down in the notation of the tool. `terminal` draws the same with colours.

An outcome may come from a file that anyone wrote, so every text in it is data: each format escapes
it for its own notation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.gate.outcome import Outcome
from harness.report.gate import (
    bencher,
    github_action_benchmark,
    junit,
    markdown,
    outcome_json,
    pytest_benchmark,
    summary,
)

FORMATS: Mapping[str, Callable[[Outcome], str]] = {
    "markdown": markdown.render,
    "summary": summary.render,
    "junit": junit.render,
    "json": outcome_json.render,
    "github-action-benchmark": github_action_benchmark.render,
    "bencher": bencher.render,
    "pytest-benchmark": pytest_benchmark.render,
}
"""By the name that ``--format`` takes."""
