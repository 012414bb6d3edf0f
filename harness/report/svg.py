"""Makes a matplotlib figure fit to stand in a page with many others.

matplotlib numbers its ids afresh in every figure and colours for a white page. Here ids get a
prefix, and colours become CSS variables that fall back to themselves.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_FONT = re.compile(r"font-family:[^;]*")
_FINE = re.compile(r"(\.\d\d)\d+")
"""Decimals below a hundredth of a point, which nobody sees."""
_UNTURNED = re.compile(r"rotate\(-?0 [^)]*\)")


def to_svg(figure: Figure, key: str, description: str, variables: Mapping[str, str]) -> str:
    """The figure as an ``<svg>`` element without anything from elsewhere.

    Args:
        figure: what to draw.
        key: unique in the page; letters, digits and hyphens.
        description: what the drawing shows, for those who do not see it.
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
    _prefix_ids(root, key)
    _shorten(root)
    for element in root.iter():
        if style := element.get("style"):
            element.set("style", _restyle(style, variables))
    for name in ("width", "height"):
        root.attrib.pop(name)
    root.set("role", "img")
    root.set("aria-label", description)
    ElementTree.register_namespace("", _SVG)
    return ElementTree.tostring(root, encoding="unicode")


def _prefix_ids(root: ElementTree.Element, key: str) -> None:
    """Drops every id that nothing refers to, and prefixes the rest with ``key``."""
    used: set[str] = set()
    for element in root.iter():
        for name, value in list(element.items()):
            if name == _XLINK:
                del element.attrib[name]
                used.add(value[1:])
                element.set("href", f"#{key}-{value[1:]}")
            elif match := _REFERENCE.search(value):
                used.add(match[1])
                element.set(name, _REFERENCE.sub(rf"url(#{key}-\1)", value))
    for element in root.iter():
        if (name := element.attrib.pop("id", "")) in used:
            element.set("id", f"{key}-{name}")


def _shorten(root: ElementTree.Element) -> None:
    """Leaves out what no drawing shows: it is a sixth of its bytes."""
    for element in root.iter():
        for text in ("text", "tail"):
            if not (getattr(element, text) or "").strip():
                setattr(element, text, None)
        for name in ("d", "x", "y"):
            if value := element.get(name):
                element.set(name, _FINE.sub(r"\1", value).strip())
        if _UNTURNED.fullmatch(element.get("transform", "")):
            del element.attrib["transform"]


def _restyle(style: str, variables: Mapping[str, str]) -> str:
    style = _FONT.sub("font-family: inherit", style)
    for colour, variable in variables.items():
        style = style.replace(colour, f"var({variable}, {colour})")
    return style
