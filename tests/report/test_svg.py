"""A drawing that can stand beside others in a page."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from matplotlib.figure import Figure

from harness.report.svg import to_svg


def drawing(key: str) -> str:
    figure = Figure(figsize=(2, 1))
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    axes.plot([0, 1], [0, 1], marker="o", color="#d55e00")
    axes.text(0.5, 0.5, 'a < "b" id="c" #d55e00')
    return to_svg(figure, key, 'says "<x>"', {"#d55e00": "--hue"})


def test_ids_carry_the_key_and_each_is_used() -> None:
    text = drawing("one")
    ids = set(re.findall(r'<[^>]* id="([^"]+)"', text))
    used = set(re.findall(r"url\(#([^)]+)\)", text)) | set(re.findall(r'href="#([^"]+)"', text))
    assert ids == used
    assert all(name.startswith("one-") for name in ids)
    assert ids.isdisjoint(re.findall(r'<[^>]* id="([^"]+)"', drawing("two")))


def test_colours_follow_the_page_and_fall_back_to_themselves() -> None:
    text = drawing("one")
    assert "stroke: var(--hue, #d55e00)" in text
    assert "font-family: inherit" in text


def test_text_and_description_stay_as_they_are() -> None:
    root = ElementTree.fromstring(drawing("one"))
    assert root.get("aria-label") == 'says "<x>"'
    assert 'a < "b" id="c" #d55e00' in "".join(root.itertext())


def test_holds_neither_style_sheet_nor_metadata_nor_size() -> None:
    text = drawing("one")
    assert "<style" not in text
    assert "<metadata" not in text
    assert " width=" not in text.partition(">")[0]


def test_coordinates_have_no_more_digits_than_show() -> None:
    root = ElementTree.fromstring(drawing("one"))
    places = [element.get(name, "") for element in root.iter() for name in ("d", "x", "y")]
    assert any("." in place for place in places)
    assert not any(re.search(r"\.\d{3}", place) for place in places)
    assert not any(element.get("transform", "").startswith("rotate") for element in root.iter())
