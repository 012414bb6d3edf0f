"""One HTML file that needs nothing from anywhere: drawings, style, script and data are in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.gate.outcome import Outcome
from harness.ledger import Entry
from harness.report import (
    budgets,
    caps,
    catalogue,
    ceilings,
    comparisons,
    contents,
    downloads,
    facets,
    layers,
    legend,
    page,
    provenance,
    ratios,
    results,
    rows,
    series,
    summary,
    verdict,
)
from harness.report.cases import section as each_case
from harness.report.choose import section as choose
from harness.report.contents import Contents
from harness.report.guard import section as guard
from harness.report.history import events
from harness.report.provenance import Run
from harness.report.roofline import section as roofline

if TYPE_CHECKING:
    import pandas as pd

PAGES = {
    "verdict": "Verdict",
    "layer": "Choose a layer",
    "framework": "Choose a framework",
    "machine": "Choose a machine",
    "guard": "Guard CI",
    "cases": "Each case",
    "catalogue": "Every layer there is",
    "method": "Method and data",
}
"""What the file holds, by the id of each, in order."""


def render(
    frame: pd.DataFrame,
    runs: Sequence[Run],
    profiles: Mapping[str, str] | None = None,
    *,
    samples: pd.DataFrame | None = None,
    outcomes: Sequence[Outcome] = (),
    read: Contents | None = None,
    ledger: Mapping[str, Entry] | None = None,
) -> str:
    """The report of a frame of results as one HTML document.

    Args:
        frame: what `harness.store.load` returns.
        runs: what the ``run.json`` of each of its runs holds; may be empty.
        profiles: where the page of a case's profile lies, by case id.
        samples: what `harness.store.load_samples` returns; without it none are drawn.
        outcomes: what gates found; there may be nothing else.
        read: of the frame, if another layout has read it.
        ledger: every public name of the frameworks; see `harness.ledger.entries`.
    """
    read = read or contents.read(frame, runs)
    whole, newest, pairs = read.whole, read.newest, read.pairs
    every = caps.every(frame, newest)
    shown_pairs = caps.pairs(pairs, newest)
    listed, looks = caps.runs(runs), series.looks(whole)
    single = each_case.section(every, runs, samples)
    gate = guard.section(outcomes)
    gate_only = bool(gate) and frame.empty
    return page.render(
        "report.html.j2",
        pages=PAGES,
        title=gate[0].title if gate_only else summary.title(whole, runs),
        choices=facets.choices(every),
        verdict=[] if gate_only else verdict.sentences(whole, read.sides, read.attention),
        slower=verdict.histories(read.histories),
        measured=summary.measured(whole, runs) if whole else "",
        trust=verdict.trust(whole, read.damage),
        failure_kinds=verdict.failures(whole),
        notes=[
            *summary.damage_notes(read.damage),
            *summary.notes(frame, whole, runs),
            *caps.notes(frame, whole, newest, runs),
        ],
        counts=summary.counts(whole),
        attention=read.attention,
        budgets=read.budgets,
        budgets_are=budgets.EXPLAINED,
        layers=list(layers.groups(newest, looks)),
        marks=legend.explained(newest),
        compared=summary.compared(whole, pairs) if whole else [],
        means=ratios.means(pairs),
        comparisons=list(
            comparisons.comparisons(
                caps.of_machines(pairs, newest), looks, one_machine=rows.has_one_machine(frame)
            )
        ),
        frameworks=ratios.frameworks(ratios.by_layer(pairs)),
        pairs=ratios.pairs(shown_pairs, len(pairs) - len(shown_pairs)),
        machines=provenance.machine_table(runs),
        ceilings=ceilings.table(listed),
        rooflines=roofline.drawings(newest, runs, looks),
        rooflines_key=layers.swatches(looks, looks, "rooflines"),
        choose=choose.section(newest),
        gate=gate,
        histories=read.histories,
        machines_apart=events.MACHINES,
        sides=read.sides,
        failures=results.failures(caps.failures(whole)),
        not_measured=results.not_measured(whole),
        warnings=results.warnings(newest),
        cases=single,
        catalogue=catalogue.section(ledger or {}, whole),
        every_row=single.table,
        profiles=profiles or {},
        example=summary.example(newest),
        data_files=downloads.data(frame, runs),
        runs=provenance.run_table(listed),
        commands=provenance.commands(listed),
    )
