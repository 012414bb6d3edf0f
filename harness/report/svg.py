"""Makes a matplotlib figure fit to stand in a page with many others.

matplotlib numbers its ids afresh in every figure and colours for a white page. Here ids get a
prefix, colours become the page's CSS variables, and marks get the titles that a
reader sees on hovering over them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from harness.report.compact import SVG as _SVG
from harness.report.compact import compact
from harness.report.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_XLINK = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_TITLE = "title:"


def titled(text: str) -> dict[str, Any]:
    """Gives an artist the text that a reader sees on hovering over it: ``plot(..., **titled(…))``.

    It travels as the artist's ``gid``, which `to_svg` turns into a ``<title>``.
    """
    return {"gid": f"{_TITLE}{printable(text)}"}


def to_svg(figure: Figure, key: str, description: str, variables: Mapping[str, str]) -> str:
    """The figure as an ``<svg>`` element without anything from elsewhere.

    Args:
        figure: what to draw.
        key: unique in the page; letters, digits and hyphens.
        description: what the drawing shows, for those who do not see it; empty if
            the text beside it says so.
        variables: colours (``#rrggbb``) to the CSS variables that replace them in a page.
    """
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": key}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    root = ElementTree.fromstring(buffer.getvalue())
    for child in [child for child in root if child.tag == f"{{{_SVG}}}metadata"]:
        root.remove(child)
    for defs in root.iter(f"{{{_SVG}}}defs"):
        for sheet in defs.findall(f"{{{_SVG}}}style"):
            defs.remove(sheet)  # it would apply to the whole page
    _give_titles(root)
    _rename_ids(root, key)
    for element in root.iter():
        if style := element.get("style"):
            element.set("style", _restyle(style, variables))
    compact(root)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    if description:
        root.set("role", "img")
        root.set("aria-label", description)
    else:
        root.set("aria-hidden", "true")
    ElementTree.register_namespace("", _SVG)
    return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")  # text has "&gt;"


def _give_titles(root: ElementTree.Element) -> None:
    for element in list(root.iter()):
        name = element.get("id", "")
        if name.startswith(_TITLE):
            del element.attrib["id"]
            title = ElementTree.Element(f"{{{_SVG}}}title")
            title.text = name.removeprefix(_TITLE)
            element.insert(0, title)


def _rename_ids(root: ElementTree.Element, key: str) -> None:
    """Drops every id that nothing refers to, and numbers the rest behind ``key``."""
    used: dict[str, str] = {}

    def renamed(name: str) -> str:
        return used.setdefault(name, f"{key}-{len(used)}")

    for element in root.iter():
        for name, value in list(element.items()):
            if name == _XLINK:
                del element.attrib[name]
                element.set("href", f"#{renamed(value[1:])}")
            elif _REFERENCE.search(value):
                element.set(name, _REFERENCE.sub(lambda match: f"url(#{renamed(match[1])})", value))
    for element in root.iter():
        if (name := element.attrib.pop("id", "")) in used:
            element.set("id", used[name])


def _restyle(style: str, variables: Mapping[str, str]) -> str:
    kept = [
        part
        for part in style.split("; ")
        if part != "stroke-dashoffset: 0" and not part.startswith("font-family:")  # the page's own
    ]
    text = ";".join(part.replace(": ", ":", 1) for part in kept)
    for colour, variable in variables.items():
        text = text.replace(colour, f"var({variable})")
    return text
