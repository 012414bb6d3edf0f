"""The page of `layerbench compare --out`: the section on machines, and what these are."""

from __future__ import annotations

from harness import compare
from harness.report import ceilings, facets, page, provenance
from harness.report.machines.section import Section

PAGES = {"machine": "Machines compared", "method": "Machines and software"}
"""What the file holds, by the id of each, in order."""


def render(section: Section) -> str:
    """A comparison as one HTML document that needs nothing from anywhere."""
    return page.render(
        "comparison.html.j2",
        pages=PAGES,
        choices=facets.several(facets.of_cases(compare.records(section.compared))),
        title=section.title,
        sides=section,
        machines=provenance.machine_table(section.runs),
        ceilings=ceilings.table(section.runs),
        runs=provenance.run_table(section.runs),
        commands=provenance.commands(section.runs),
    )
