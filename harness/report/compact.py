"""A drawing of matplotlib in fewer characters, as a page holds a hundred of them.

What is seen stays as it is, to a tenth of a point.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from xml.etree.ElementTree import Element

SVG = "http://www.w3.org/2000/svg"
_GROUP, _DEFS, _PATH, _USE, _TEXT, _TITLE, _SPAN = (
    f"{{{SVG}}}{name}" for name in ("g", "defs", "path", "use", "text", "title", "tspan")
)
_DECIMAL = re.compile(r"-?\d+\.\d+")
_COMMAND = re.compile(r"\s*([MLQCz])\s*")


def compact(root: Element) -> None:
    """Shortens the drawing in place; its styles are to be without spaces already."""
    for element in root.iter():
        _round(element)
    _share_styles(root)
    _prune(root)


def _round(element: Element) -> None:
    """A tenth of a point is less than anyone sees."""
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


def _share_styles(root: Element) -> None:
    """Moves what all uses of a mark look like to the mark itself."""
    uses: dict[str, list[Element]] = {}
    for use in root.iter(_USE):
        uses.setdefault(use.get("href", "")[1:], []).append(use)
    for glyph in [one for one in root.iter() if one.get("id") in uses]:
        same = uses[glyph.get("id", "")]
        styles = {use.get("style", "") for use in same}
        glyph.attrib.pop("style", None)
        if len(styles) == 1:
            glyph.set("style", styles.pop())
            for use in same:
                use.attrib.pop("style", None)


def _prune(element: Element) -> None:
    """Takes out space between elements, what is not drawn, and groups that say nothing."""
    kept: list[Element] = []
    for child in element:
        _prune(child)
        kept += _without_group(child)
    drawn = [child for child in kept if not _draws_nothing(child)]
    element[:] = _share_text_styles(_join_lines(drawn))
    if element.tag not in (_TEXT, _TITLE, _SPAN):
        element.text = None
    element.tail = None


def _without_group(element: Element) -> Sequence[Element]:
    """The element, or what a group without attributes holds; one mark keeps the group's title."""
    if element.tag != _GROUP or element.attrib:
        return [element]
    title = element.find(_TITLE)
    if title is None:
        return list(element)
    if len(element) == 2 and element[1].tag in (_USE, _PATH):
        element[1].insert(0, title)
        return [element[1]]
    return [element]


def _draws_nothing(element: Element) -> bool:
    if element.tag in (_GROUP, _DEFS):
        return not len(element)
    return element.tag == _PATH and element.get("style") == "fill:none"


def _join_lines(elements: Iterable[Element]) -> Iterator[Element]:
    """Lines of one look with nothing but text between them become one path."""
    last: Element | None = None
    for element in elements:
        if last is not None and _is_line(element) and _look(element) == _look(last):
            last.set("d", last.get("d", "") + element.get("d", ""))
            continue
        if element.tag != _TEXT:
            last = element if _is_line(element) else None
        yield element


def _is_line(element: Element) -> bool:
    without_area = element.get("style", "").startswith("fill:none;")
    return element.tag == _PATH and without_area and not len(element)


def _look(element: Element) -> dict[str, str]:
    return {name: value for name, value in element.items() if name != "d"}


def _share_text_styles(elements: Iterable[Element]) -> Iterator[Element]:
    """Neighbouring texts of one style become a group that has it."""
    for style, members in groupby(elements, lambda one: one.tag == _TEXT and one.get("style")):
        texts = list(members)
        if not style or len(texts) == 1:
            yield from texts
            continue
        group = Element(_GROUP, {"style": str(style)})
        for text in texts:
            del text.attrib["style"]
        group.extend(texts)
        yield group
