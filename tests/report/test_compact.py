"""A drawing says the same in fewer characters."""

from __future__ import annotations

from xml.etree import ElementTree

from harness.report.compact import SVG, compact

LINE = "fill:none;stroke:red"


def compacted(inside: str) -> str:
    root = ElementTree.fromstring(f'<svg xmlns="{SVG}">{inside}</svg>')
    compact(root)
    ElementTree.register_namespace("", SVG)
    text = ElementTree.tostring(root, encoding="unicode")
    return text.partition(">")[2].removesuffix("</svg>")


def test_lines_of_one_look_join_over_texts_and_over_nothing_else() -> None:
    lines = [f'<path style="{LINE}" d="M 0 {y}  L 9 {y} " />' for y in (1, 2, 3)]
    text, area = '<text style="a:b">1</text>', '<path style="fill:blue" d="M0 0L1 1z" />'
    assert compacted(lines[0] + text + lines[1]) == (
        f'<path style="{LINE}" d="M0 1L9 1M0 2L9 2" /><text style="a:b">1</text>'
    )
    assert compacted(lines[0] + area + lines[1]).count("<path") == 3
    assert compacted(area + area).count("<path") == 2


def test_lines_of_another_look_or_with_a_title_stay_apart() -> None:
    red, blue = (f'<path style="fill:none;stroke:{c}" d="M0 0L1 1" />' for c in ("red", "blue"))
    assert compacted(red + blue + red).count("<path") == 3
    titled = f'<g><title>one</title><path style="{LINE}" d="M0 0L1 1" /></g>'
    assert compacted(titled + titled) == 2 * (
        f'<path style="{LINE}" d="M0 0L1 1"><title>one</title></path>'
    )


def test_texts_of_one_style_share_it_in_their_order() -> None:
    texts = "".join(f'<g><text style="a:b" x="{x}">{x} &lt;</text></g>\n' for x in "12")
    assert compacted(texts + '<text style="c:d">3</text>') == (
        '<g style="a:b"><text x="1">1 &lt;</text><text x="2">2 &lt;</text></g>'
        '<text style="c:d">3</text>'
    )


def test_a_mark_has_the_style_of_its_uses_unless_they_differ() -> None:
    glyph = '<defs><path id="m" d="M0 0z" style="old" /></defs>'

    def use(style: str) -> str:
        return f'<use href="#m" style="{style}" />'

    assert compacted(glyph + use("s") + use("s")) == (
        '<defs><path id="m" d="M0 0z" style="s" /></defs><use href="#m" /><use href="#m" />'
    )
    differing = compacted(glyph + use("s") + use("t"))
    assert 'style="old"' not in differing
    assert differing.endswith(use("s") + use("t"))


def test_numbers_are_rounded_where_they_are_places_only() -> None:
    assert compacted('<use x="12.3456" y="-0.0001" style="opacity:0.123" />') == (
        '<use x="12.3" y="0" style="opacity:0.123" />'
    )
    assert compacted('<text transform="rotate(-0 1 2)" y="9.996">a</text>') == (
        '<text y="10">a</text>'
    )


def test_what_draws_nothing_goes() -> None:
    nothing = '<defs>\n</defs><g><g /></g><path d="M0 0L1 1z" style="fill:none" />'
    assert compacted(nothing) == ""
