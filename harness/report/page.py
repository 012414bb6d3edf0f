"""The templates of pages, with what all of them share: drawings, and what is known everywhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness import units
from harness.report import facets, legend
from harness.report.text import CODE, printable

if TYPE_CHECKING:
    import jinja2


@dataclass(frozen=True)
class Figure:
    """A drawing with its title, and what it holds fixed as its subtitle.

    A page that is narrowed to another ``mode`` does not show it; one without a mode always is.
    """

    title: str
    svg: Markup
    subtitle: str = ""
    mode: str = ""


def environment(facets_told: Collection[str] = facets.NAMES) -> jinja2.Environment:
    """Escapes text, and refuses a name that no value was given for.

    Args:
        facets_told: that elements carry; see `data`.
    """
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.PackageLoader("harness", "report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: type(value)(printable(value)) if isinstance(value, str) else value,
    )
    found.filters["prose"] = prose
    found.globals.update(units=units, legend=legend, data=partial(data, facets_told))
    return found


def render(template: str, choices: Mapping[str, Sequence[str]], **values: object) -> str:
    """A document with the script that narrows and sorts it, and a policy that lets no other run.

    Args:
        template: which extends ``shell.html.j2``.
        choices: what it can be narrowed by, and the values of each.
        values: what the template asks for besides.
    """
    templates = environment(choices)
    script = Markup(templates.get_template("report.js.j2").render(facets=facets.NAMES))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    found = templates.get_template(template)
    return found.render(choices=choices, script=script, script_hash=digest, **values)


def prose(text: str) -> Markup:
    """A sentence, with what stands between backticks set as code."""
    pieces = enumerate(CODE.split(printable(text)))
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if index % 2 else piece for index, piece in pieces
    )


def data(told: Collection[str], values: Mapping[str, str]) -> Markup:
    """Attributes such as `` data-layer="lstm"``, of these facets; see `harness.report.facets`."""
    attributes = (
        Markup(' data-{}="{}"').format(name, printable(value))
        for name, value in values.items()
        if value and name in told
    )
    return Markup("").join(attributes)
