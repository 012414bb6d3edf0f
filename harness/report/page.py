"""The templates of pages, with what all of them share: drawings, and what is known everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness import units
from harness.report import legend
from harness.report.text import printable

if TYPE_CHECKING:
    import jinja2

ROWS = 2000
"""That a page holds at most of what is told row by row: more is slow to open, and to mail."""


@dataclass(frozen=True)
class Figure:
    """A drawing with its title, and what it holds fixed as its subtitle.

    A page that is narrowed to another ``mode`` does not show it; one without a mode always is.
    """

    title: str
    svg: Markup
    subtitle: str = ""
    mode: str = ""


def environment() -> jinja2.Environment:
    """Escapes text, and refuses a name that no value was given for."""
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.PackageLoader("harness", "report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: type(value)(printable(value)) if isinstance(value, str) else value,
    )
    found.globals.update(units=units, legend=legend, data=data)
    return found


def data(facets: Mapping[str, str]) -> Markup:
    """Attributes such as `` data-layer="lstm"``; see `harness.report.facets`."""
    attributes = (
        Markup(' data-{}="{}"').format(name, printable(value))
        for name, value in facets.items()
        if value
    )
    return Markup("").join(attributes)
