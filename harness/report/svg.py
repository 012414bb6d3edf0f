"""Makes a matplotlib figure fit to stand in a page with many others.

matplotlib numbers its ids afresh in every figure, colours for a white page, and says everything
at length. Here ids get a prefix, colours become CSS variables that fall back to themselves, marks
get the titles that a reader sees on hovering over them, and what draws nothing goes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from harness.report.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_DECIMAL = re.compile(r"-?\d+\.\d+")
_COMMAND = re.compile(r"\s*([MLQCz])\s*")
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
        _shorten(element, variables)
    _share_styles(root)
    _prune(root)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    if description:
        root.set("role", "img")
        root.set("aria-label", description)
    else:
        root.set("aria-hidden", "true")
    ElementTree.register_namespace("", _SVG)
    return ElementTree.tostring(root, encoding="unicode")


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


def _share_styles(root: ElementTree.Element) -> None:
    """Moves what all uses of a mark look like to the mark itself."""
    uses: dict[str, list[ElementTree.Element]] = {}
    for use in root.iter(f"{{{_SVG}}}use"):
        uses.setdefault(use.get("href", "")[1:], []).append(use)
    for glyph in [one for one in root.iter() if one.get("id") in uses]:
        same = uses[glyph.get("id", "")]
        styles = {use.get("style", "") for use in same}
        glyph.attrib.pop("style", None)
        if len(styles) == 1:
            glyph.set("style", styles.pop())
            for use in same:
                use.attrib.pop("style", None)


def _shorten(element: ElementTree.Element, variables: Mapping[str, str]) -> None:
    """The same look in fewer characters: a tenth of a point is less than anyone sees."""
    if style := element.get("style"):
        element.set("style", _restyle(style, variables))
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    for name in ("d", "x", "y", "width", "height", "transform"):
        if value := element.get(name):
            element.set(name, _DECIMAL.sub(_rounded, value))
    if path := element.get("d"):
        element.set("d", _COMMAND.sub(r"\1", path).strip())


def _rounded(match: re.Match[str]) -> str:
    value = float(match[0])
    text = f"{value:.{1 if abs(value) >= 10 else 2}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _restyle(style: str, variables: Mapping[str, str]) -> str:
    kept = [
        part
        for part in style.split("; ")
        if part != "stroke-dashoffset: 0" and not part.startswith("font-family:")  # the page's own
    ]
    text = ";".join(part.replace(": ", ":", 1) for part in kept)
    for colour, variable in variables.items():
        text = text.replace(colour, f"var({variable},{colour})")
    return text


def _prune(element: ElementTree.Element) -> None:
    """Takes out space between elements, what is not drawn, and groups that say nothing."""
    kept: list[ElementTree.Element] = []
    for child in element:
        _prune(child)
        kept += child if _says_nothing(child) else [child]
    element[:] = [child for child in kept if not _draws_nothing(child)]
    if element.tag not in (f"{{{_SVG}}}text", f"{{{_SVG}}}title", f"{{{_SVG}}}tspan"):
        element.text = None
    element.tail = None


def _says_nothing(element: ElementTree.Element) -> bool:
    """Whether a group has neither attribute nor title, so that its children can stand alone."""
    if element.tag != f"{{{_SVG}}}g" or element.attrib:
        return False
    return element.find(f"{{{_SVG}}}title") is None


def _draws_nothing(element: ElementTree.Element) -> bool:
    if element.tag in (f"{{{_SVG}}}g", f"{{{_SVG}}}defs"):
        return not len(element)
    return element.tag == f"{{{_SVG}}}path" and element.get("style") == "fill:none"
