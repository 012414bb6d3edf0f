"""What each command does: ask the floors below, and print."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from harness import catalogue, coverage, frameworks, runner, store, units
from harness.cli import FAILED, GOOD, INTERRUPTED, NOTHING, figures, ledger, stopped
from harness.cli.asked import request_of_sweep
from harness.cli.console import plain as _console
from harness.cli.console import typed
from harness.cli.parser import LATEST
from harness.cli.progress import Progress
from harness.damage import noticed
from harness.gate.outcome import Outcome
from harness.layer import Layer
from harness.report import (
    caps,
    contents,
    gate,
    html,
    markdown,
    profiles,
    provenance,
    rows,
    summary,
    terminal,
)
from harness.report.figures import whole
from harness.report.text import printable
from harness.store.writing import save
from harness.types import HarnessError, Status

if TYPE_CHECKING:
    import pandas as pd

SHOWN_OPERATORS = 20
"""Of a profile, in the terminal; its files hold all."""


def list_command(options: Namespace) -> int:
    """Layers × frameworks."""
    if options.coverage:
        return ledger.show(as_json=options.json)
    layers = catalogue.load(options.suite or ())
    builders = {name: frameworks.get(name).builder for name in frameworks.names()}
    if options.json:
        entries = [
            {
                "layer": layer.name,
                "family": layer.family,
                "formula": layer.formula,
                "complexity": layer.complexity,
                "has_seq": layer.has_seq,
                "presets": {name: dict(preset) for name, preset in layer.presets.items()},
                "frameworks": [name for name, key in builders.items() if key in layer.builders],
                "unsupported": {
                    name: layer.lacking[key]
                    for name, key in builders.items()
                    if key in layer.lacking
                },
                "source": layer.source,
            }
            for layer in layers.values()
        ]
        print(json.dumps(entries, indent=1, ensure_ascii=False))
        return GOOD
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("layer", "family", *builders, "first preset", "formula"):
        table.add_column(heading, overflow="fold")
    for layer in layers.values():
        preset = next(iter(layer.presets.values()))
        table.add_row(
            layer.name,
            layer.family,
            *("yes" if key in layer.builders else _absent(layer, key) for key in builders.values()),
            ", ".join(f"{key}={value}" for key, value in preset.items()),
            layer.formula,
        )
    _console().print(table)
    missing = [name for name in builders if not frameworks.installed(name)]
    if missing:
        print(f"\nnot installed here: {', '.join(missing)}")
    return GOOD


def _absent(layer: Layer, builder: str) -> str:
    """In place of a builder: that the framework cannot have one, or that nobody wrote it."""
    return "unsupported" if builder in layer.lacking else units.MISSING


def doctor_command(options: Namespace) -> int:
    """What is here, how quiet it is, and what to mend."""
    from harness.devices import machine, noise

    here = machine.describe()
    console = _console()
    console.print(terminal.machine(here))
    for name in frameworks.names():
        if not frameworks.installed(name):
            console.print(f"{name}: not installed; pip install 'layerbench[{name}]'")
    with console.status("measuring the noise floor"):
        floor = noise.noise_floor()
    console.print(
        f"noise floor: of {floor.blocks} blocks of {units.seconds(floor.block_s)}, "
        f"{units.percent(floor.disturbed)} were disturbed by more than 5 %; "
        f"the 99th percentile is {units.percent(floor.tail)} above the median; "
        f"clock steps of {units.seconds(floor.clock_resolution_s)}"
    )
    advice = noise.advice(here, floor)
    for sentence in advice:
        console.print(f"- {sentence}")
    if not advice:
        console.print("nothing to mend")
    return GOOD


def run_command(options: Namespace) -> int:
    """Measures, or says what would be."""
    console = _console()
    if options.resume is not None:
        latest = options.resume is LATEST
        folder = store.latest_run(options.results) if latest else Path(options.resume)
        record, layers = runner.continued(folder, options.suite or ())
    else:
        plan = runner.make_plan(_request(options))
        for name in plan.missing:
            console.print(f"{name} is not installed, its cases are left out", style="yellow")
        if options.dry_run:
            return _dry_run(plan, console)
        record = runner.begin(plan, Path(options.results), f"layerbench {typed()}")
        layers = dict(plan.layers)
        console.print(
            f"{_cases(plan)}, about {_minutes(plan.estimate_s)} on {record.machine['machine_id']}"
        )
    console.print(printable(f"results: {record.folder}"), soft_wrap=True)
    try:
        with Progress(console) as progress:
            runner.execute(record, layers, progress)
    except KeyboardInterrupt as stop:
        console.print(
            f"\n{stopped(stop)}; all that was measured is kept. Go on with:\n"
            f"  {store.resuming(record.folder, record.suites)}",
            soft_wrap=True,
        )
        if refused := _collect(record.folder):
            console.print(str(refused), style="red", soft_wrap=True)
        return INTERRUPTED
    refused = _collect(record.folder)
    with noticed() as damaged:
        frame = store.load(record.folder)
    console.print()
    console.print(terminal.results(frame))
    unsound = ""
    if options.strict:
        reasons = summary.failed_checks(rows.read(frame)), summary.damaged(damaged)
        unsound = "; ".join(filter(None, reasons))
    if unsound:
        console.print(f"strict: {unsound}", style="red")
    status = FAILED if unsound else _exit_status(frame, record.passes, console)
    if refused:
        raise refused
    return status


def _exit_status(frame: pd.DataFrame, passes: int | None, console: Console) -> int:
    """Good only if something was measured, and nothing that was planned failed or is missing."""
    if frame["status"].map(lambda status: Status(status).failed).any():
        return FAILED
    measured = frame[frame["status"] == str(Status.OK)]
    if measured.empty:
        console.print("nothing was measured: no case of the plan can run here", style="red")
        return NOTHING
    short = 0 if passes is None else int((measured["passes"] < passes).sum())
    if short:
        console.print(f"{units.count(short, 'row')} with fewer passes than planned", style="red")
    return FAILED if short else GOOD


def _collect(folder: Path) -> HarnessError | None:
    """Makes a run's Parquet files, or says why it cannot; its journal holds the same."""
    try:
        store.collect(folder)
    except HarnessError as error:
        return error
    return None


def _request(options: Namespace) -> runner.Request:
    return request_of_sweep(
        options,
        passes=options.passes,
        budget_s=options.budget,
        rel_ci=options.rel_ci,
        sample_s=options.sample_time,
        max_memory_bytes=options.max_memory,
        insist=options.no_skip,
    )


def _dry_run(plan: runner.Plan, console: Console) -> int:
    for case in plan.cases:
        console.print(case.id, soft_wrap=True)
    passes = (
        "as many passes as fit"
        if plan.passes is None
        else units.count(plan.passes, "pass", "passes")
    )
    console.print(f"{_cases(plan)}, {passes}, about {_minutes(plan.estimate_s)}")
    return GOOD


def _cases(plan: runner.Plan) -> str:
    return f"{units.count(len(plan.cases), 'case')}, {len(plan.measurable)} to measure"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def report_command(options: Namespace) -> int:
    """One HTML file and one Markdown file; the data where they are too much for a page.

    And its figures as files if asked for.
    """
    outcomes = [Outcome.from_file(Path(file)) for file in options.outcome or ()]
    paths = options.runs
    if not paths and not outcomes:
        paths = [store.latest_run(options.results)]
    with noticed() as damaged:
        if paths:
            frame, runs = store.load(paths), store.load_runs(paths)
            folders, name = store.run_folders(paths), provenance.file_name(runs)
        else:
            frame, runs, folders = store.empty(), [], []
            name = _name_of_outcome(Path(options.outcome[0]))
        samples = store.load_samples(paths) if paths and len(frame) <= caps.ROWS else None
    folder = Path(options.out)
    pages = {case: link for run in folders for case, link in profiles.found(run, folder).items()}
    read = contents.read(frame, runs, damaged)
    told = [markdown.render(frame, runs, read)] if paths else []
    page = html.render(
        frame,
        runs,
        pages,
        samples=samples,
        outcomes=outcomes,
        read=read,
        ledger=coverage.own(),
    )
    written: dict[str, str | bytes] = {
        f"{name}.html": page,
        f"{name}.md": "\n".join([*told, *map(gate.FORMATS["summary"], outcomes)]),
    }
    if data := caps.data_file(frame, runs):
        written[data] = store.to_parquet(frame)
    for file, content in written.items():
        save(folder / file, content, "name another folder with --out")
        print(folder / file)
    if options.figures is not None:
        named = whole.every(frame, runs, samples, read)
        drawn = figures.write(named, Path(options.figures))
        print(f"{options.figures}: {units.count(drawn, 'figure')}, each as PNG, SVG and PDF")
        print(*whole.notes(frame, samples, read))
    return GOOD


def _name_of_outcome(file: Path) -> str:
    """The folder's, as that of a gate is named by the time."""
    return file.stem if file.stem != "outcome" else file.resolve().parent.name


def collect_command(options: Namespace) -> int:
    """Parquet from journals."""
    for path in store.collect(options.runs):
        print(printable(str(path)))
    return GOOD


def profile_command(options: Namespace) -> int:
    """Operators, memory over time and a trace of one case."""
    try:
        found = runner.profile(options.case, options.suite or (), Path(options.out))
    except runner.CaseFailedError as failure:
        print(f"layerbench: {options.case}: {failure.status}: {failure.reason}", file=sys.stderr)
        return FAILED
    written = profiles.files(found.case, found.framework_version, found.operators, found.memory)
    for name, text in written.items():
        save(found.folder / name, text, "name another folder with --out")
    console = _console()
    console.print(terminal.table(profiles.operators(found.operators, most=SHOWN_OPERATORS)))
    for file in sorted(found.folder.iterdir()):
        console.print(str(file), soft_wrap=True)
    return GOOD
