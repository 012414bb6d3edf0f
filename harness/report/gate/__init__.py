"""What a gate found, as text: for people, and for the tools that a CI hands results to.

Each format is one function from an `Outcome` to the whole content of a file. `wording` says
things in sentences and `tables` in tables; the modules named as the formats lay these out.
`figures` gives what `harness.report.exchange` writes down in the notation of other tools, and
`terminal` draws the same with colours.

An outcome may come from a file that anyone wrote, so every text in it is data: each format escapes
it for its own notation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.gate.outcome import Outcome
from harness.report.exchange import bencher, github_action_benchmark, pytest_benchmark
from harness.report.gate import figures, junit, markdown, outcome_json, summary


def _pytest_benchmark(outcome: Outcome) -> str:
    head, benchmarks = outcome.head, figures.of_both(outcome)
    return pytest_benchmark.render(
        benchmarks, outcome.machine, head.commit, head.dirty, outcome.started_at
    )


FORMATS: Mapping[str, Callable[[Outcome], str]] = {
    "markdown": markdown.render,
    "summary": summary.render,
    "junit": junit.render,
    "json": outcome_json.render,
    "github-action-benchmark": lambda found: github_action_benchmark.render(figures.of_head(found)),
    "bencher": lambda found: bencher.render(figures.of_head(found)),
    "pytest-benchmark": _pytest_benchmark,
}
"""By the name that ``--format`` takes."""
