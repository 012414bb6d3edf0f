"""A drawing that can stand beside others in a page."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from harness.report.svg import titled, to_svg

SVG = "{http://www.w3.org/2000/svg}"


def drawing(key: str, title: str = "a mark") -> str:
    figure = Figure(figsize=(2, 1))
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    axes.plot([0, 1], [0, 1 / 3], marker="o", color="#d55e00", **titled(title))
    axes.text(0.5, 0.5, 'a < "b" id="c" #d55e00')
    return to_svg(figure, key, 'says "<x>"', {"#d55e00": "--hue"})


def test_ids_carry_the_key_and_each_is_used() -> None:
    text = drawing("one")
    ids = set(re.findall(r'<[^>]* id="([^"]+)"', text))
    used = set(re.findall(r"url\(#([^)]+)\)", text)) | set(re.findall(r'href="#([^"]+)"', text))
    assert ids
    assert ids == used
    assert all(name.startswith("one-") for name in ids)
    assert ids.isdisjoint(re.findall(r'<[^>]* id="([^"]+)"', drawing("two")))


def test_colours_follow_the_page_and_fall_back_to_themselves() -> None:
    text = drawing("one")
    assert "stroke:var(--hue)" in text
    assert "font-family" not in text


def test_text_and_description_stay_as_they_are() -> None:
    root = ElementTree.fromstring(drawing("one"))
    assert root.get("aria-label") == 'says "<x>"'
    assert 'a < "b" id="c" #d55e00' in "".join(root.itertext())


def test_holds_neither_style_sheet_nor_metadata_nor_size() -> None:
    text = drawing("one")
    assert "<style" not in text
    assert "<metadata" not in text
    assert " width=" not in text.partition(">")[0]


@pytest.mark.parametrize("title", ["1.00 ms (0.9–1.1)", "<b>\"&'$x^2$", "\u202ea\x00b"])
def test_a_mark_has_its_title_and_no_id(title: str) -> None:
    text = drawing("one", title)
    root = ElementTree.fromstring(text)
    shown = title.replace("\u202e", "\ufffd").replace("\x00", "\ufffd")
    (group,) = (element for element in root.iter() if element.find(f"{SVG}title") is not None)
    assert [child.text for child in group.iter(f"{SVG}title")] == [shown]
    assert list(group.iter(f"{SVG}use"))
    assert group.get("id") is None


def test_says_nothing_that_draws_nothing() -> None:
    text = drawing("one")
    assert "<g/>" not in text.replace(" ", "")
    assert "\n" not in text
    assert 'style="fill:none"' not in text
    assert not re.search(r"\d\.\d{3}", text)


def test_what_is_drawn_stays_where_it_was() -> None:
    root = ElementTree.fromstring(drawing("one"))
    places = [(float(use.get("x")), float(use.get("y"))) for use in root.iter(f"{SVG}use")]
    (left, bottom), (right, top) = places[-2:]
    assert (right - left, bottom - top) == pytest.approx((115.2 / 1.1, 57.6 / 1.1), abs=0.2)
