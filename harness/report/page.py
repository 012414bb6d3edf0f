"""The templates of pages, with what all of them share: drawings, and what is known everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from harness import units
from harness.report import legend
from harness.report.text import printable

if TYPE_CHECKING:
    import jinja2


@dataclass(frozen=True)
class Figure:
    """A drawing with its title, and what it holds fixed as its subtitle."""

    title: str
    svg: Markup
    subtitle: str = ""


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
    found.globals.update(units=units, legend=legend)
    return found
