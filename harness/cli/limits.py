"""Commands that search along an axis: what fits into memory, and where one passes another."""

from __future__ import annotations

import json
import shlex
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from harness import runner, store, units
from harness.cli import FAILED, GOOD, INTERRUPTED, NOTHING, stopped
from harness.cli.asked import request as asked_request
from harness.cli.console import plain, typed
from harness.cli.progress import Progress
from harness.report import crossover as crossover_report
from harness.report import fit as fit_report
from harness.report import terminal
from harness.report.fit import Search
from harness.runner import crossover, fit
from harness.search.axis import at, pattern


def fit_command(options: Namespace) -> int:
    """The largest value that fits, by framework and mode."""
    request = asked_request(options, presets=options.presets)
    asked = fit.make_fit(options.layer, options.axis, request, options.up_to, options.max_memory)
    progress = plain(stderr=options.json)
    searches: dict[str, Search] = {}
    interrupted = False
    try:
        for event in fit.fit(asked):
            _take(event, searches)
            _show(event, asked.axis, progress)
    except KeyboardInterrupt:
        interrupted = True
    ended = {case.id: searches.get(case.id, Search(case, ended=False)) for case in asked.plan.cases}
    if interrupted and searches:
        last = next(reversed(searches))
        ended[last] = replace(searches[last], ended=bool(searches[last].ruled_out))
    found = list(ended.values())
    if options.json:
        print(json.dumps(fit_report.as_json(found, asked.axis, asked.limit_bytes), indent=1))
    else:
        _print_fit(found, asked, plain())
    if interrupted:
        return INTERRUPTED
    tried = [search.found for search in found if not search.ruled_out]
    return GOOD if tried and all(limit.best for limit in tried) else FAILED


def _take(event: fit.FitEvent, searches: dict[str, Search]) -> None:
    before = searches.get(event.case.id, Search(event.case, ruled_out=event.ruled_out))
    if event.attempt:
        before = replace(before, tries=(*before.tries, event.attempt))
    searches[event.case.id] = before


def _show(event: fit.FitEvent, axis: str, console: Console) -> None:
    if event.attempt is None:
        return
    outcome = event.attempt.outcome
    memory = units.peak_memory(outcome.peak_memory_bytes, outcome.memory_method)
    line = at(event.case, axis, event.attempt.value).id, memory, str(outcome.status)
    console.print("  ".join(line), soft_wrap=True)


def _print_fit(found: list[Search], asked: fit.Fit, console: Console) -> None:
    console.print()
    console.print(fit_report.held(found[0].case, asked.axis))
    console.print(terminal.table(fit_report.table(found, asked.axis)))
    for sentence in fit_report.sentences(asked.limit_bytes):
        console.print(sentence)


def crossover_command(options: Namespace) -> int:
    """Where B passes A, in latency and in peak memory."""
    request = asked_request(
        options, passes=options.passes, sample_s=options.sample_time, seed=options.seed
    )
    asked = crossover.make_crossover(options.a, options.b, options.axis, request, options.up_to)
    names = {name: pattern(getattr(asked, name), asked.axis) for name in ("a", "b")}
    progress = plain(stderr=options.json)
    for name, text in names.items():
        progress.print(f"{name.upper()}: {text}", soft_wrap=True)
    run = runner.begin(asked.plan, Path(options.results), f"layerbench {typed()}")
    progress.print(f"results: {run.folder}", soft_wrap=True)
    interrupted = ""
    try:
        with Progress(progress) as shown:
            for _ in crossover.crossover(asked, run, shown):
                pass
    except KeyboardInterrupt as stop:
        interrupted = stopped(stop)
    store.collect(run.folder)
    pairs = crossover.measured(asked, store.read_run(run.folder))
    if options.json:
        print(json.dumps(crossover_report.as_json(pairs, asked.axis, names), indent=1))
    else:
        console = plain()
        console.print()
        console.print(terminal.table(crossover_report.table(pairs, asked.axis)))
        for sentence in crossover_report.verdicts(pairs, asked.axis, ended=not interrupted):
            console.print(sentence)
    if interrupted:
        progress.print(
            f"\n{interrupted}; all that was measured is kept: "
            f"layerbench report {shlex.quote(str(run.folder))}",
            soft_wrap=True,
        )
        return INTERRUPTED
    compared = any(pair.a.latency and pair.b.latency for pair in pairs)
    return GOOD if compared else NOTHING
