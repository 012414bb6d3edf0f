"""The page of `layerbench compare --out`: the section on machines, and what these are."""

from __future__ import annotations

import base64
import hashlib

from markupsafe import Markup

from harness.report import ceilings, page, provenance
from harness.report.machines.section import Section


def render(section: Section) -> str:
    """A comparison as one HTML document that needs nothing from anywhere."""
    pages = page.environment()
    script = Markup(pages.get_template("report.js.j2").render())
    return pages.get_template("comparison.html.j2").render(
        sides=section,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        machines=provenance.machine_table(section.runs),
        ceilings=ceilings.table(section.runs),
        runs=provenance.run_table(section.runs),
        commands=provenance.commands(section.runs),
    )
