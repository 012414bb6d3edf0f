"""Results in the notation of other programs: ``layerbench export``.

`results` gives what of a frame is told, and each module named as a format writes it down. What a
gate found takes the same way from `harness.report.gate.figures` on. Names may come from anyone, so
each format escapes them for its own notation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness import store
from harness.report import legend, markdown, provenance
from harness.report import results as tables
from harness.report.exchange import bencher, github_action_benchmark, plain_json, pytest_benchmark
from harness.report.exchange.results import Results, benchmarks, readings


def _markdown(results: Results) -> str:
    """A table of latencies, a line a layer and size, a column a framework; and what marks mean."""
    newest = results.newest
    table = markdown.table(tables.latency(newest, with_layer=True))
    told = ["Median of a call, its interval in brackets.", legend.INTERVAL]
    return f"{table}\n\n{' '.join([*told, *legend.explained(newest)])}\n"


def _pytest_benchmark(results: Results) -> str:
    last = provenance.in_order(results.runs())[-1]
    machine = last.get("machine") or {}
    return pytest_benchmark.render(
        benchmarks(results.newest, results.samples()),
        machine,
        str(provenance.get(machine, "git_commit") or ""),
        bool(provenance.get(machine, "git_dirty")),
        str(last.get("started_at") or ""),
    )


FORMATS: Mapping[str, Callable[[Results], str | bytes]] = {
    "csv": lambda results: store.to_csv(results.frame),
    "parquet": lambda results: store.to_parquet(results.frame),
    "json": plain_json.render,
    "markdown": _markdown,
    "github-action-benchmark": lambda results: github_action_benchmark.render(
        readings(results.newest)
    ),
    "bencher": lambda results: bencher.render(readings(results.newest)),
    "pytest-benchmark": _pytest_benchmark,
}
"""By the name that ``--format`` takes; the first three hold every row and column."""
