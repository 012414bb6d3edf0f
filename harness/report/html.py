"""One HTML file that needs nothing from anywhere: drawings, style, script and data are in it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness import compare
from harness.report import (
    ceilings,
    comparisons,
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
from harness.report.attention.section import section
from harness.report.cases import section as each_case
from harness.report.history import events
from harness.report.history import section as history
from harness.report.provenance import Run

if TYPE_CHECKING:
    import pandas as pd

PAGES = {
    "verdict": "Verdict",
    "layer": "Choose a layer",
    "framework": "Choose a framework",
    "machine": "Choose a machine",
    "guard": "Guard CI",
    "cases": "Each case",
    "method": "Method and data",
}
"""What the file holds, by the id of each, in order."""


def render(
    frame: pd.DataFrame,
    runs: Sequence[Run],
    profiles: Mapping[str, str] | None = None,
    samples: pd.DataFrame | None = None,
) -> str:
    """The report of a frame of results as one HTML document.

    Args:
        frame: what `harness.store.load` returns.
        runs: what the ``run.json`` of each of its runs holds; may be empty.
        profiles: where the page of a case's profile lies, by case id.
        samples: what `harness.store.load_samples` returns; without it none are drawn.
    """
    every = rows.read(frame)
    newest = rows.newest(frame)
    pairs = compare.frameworks(frame)
    looks = series.looks(newest)
    choices = facets.choices(every)
    single = each_case.section(every, runs, samples)
    templates = page.environment()
    script = Markup(templates.get_template("report.js.j2").render(facets=facets.NAMES))
    return templates.get_template("report.html.j2").render(
        pages=PAGES,
        title=summary.title(newest, runs),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        choices=choices,
        verdict=verdict.sentences(newest),
        measured=summary.measured(newest, runs) if newest else "",
        trust=verdict.trust(newest),
        failure_kinds=verdict.failures(newest),
        notes=summary.notes(every, newest, runs),
        counts=summary.counts(newest),
        attention=section(newest),
        layers=list(layers.groups(newest, looks)),
        marks=legend.explained(newest),
        compared=summary.compared(newest, pairs) if newest else [],
        means=ratios.means(pairs),
        comparisons=list(
            comparisons.comparisons(pairs, looks, one_machine=rows.has_one_machine(frame))
        ),
        frameworks=ratios.frameworks(ratios.by_layer(pairs)),
        pairs=facets.narrowed(ratios.pairs(pairs, page.ROWS), choices),
        machines=provenance.machine_table(runs),
        ceilings=ceilings.table(runs),
        histories=history.section(frame, runs),
        machines_apart=events.MACHINES,
        failures=results.failures(newest),
        not_measured=results.not_measured(newest),
        warnings=results.warnings(newest),
        cases=single,
        every_row=facets.narrowed(single.table, choices),
        profiles=profiles or {},
        example=summary.example(newest),
        data_files=downloads.data(frame, runs),
        runs=provenance.run_table(runs),
        commands=provenance.commands(runs),
    )
