"""Whoever sees fewer colours can tell apart what stands in one drawing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pytest
from colours import VISIONS, apart, ciede2000

from harness.report import page
from harness.report.attention import lines
from harness.report.attention.study import Kind
from harness.report.canvas import HUES, INK, MUTED, VARIABLES, styles
from harness.report.history import chart as history

ENOUGH = 10.0
"""By CIEDE2000, of marks and lines some points wide."""


def themed() -> dict[str, dict[str, str]]:
    """What each colour of a drawing is in a page, by theme, and in a file of its own."""
    sheet = page.environment().get_template("report.css.j2").render()
    pairs = dict(re.findall(r"(--[\w-]+): light-dark\((#\w{6}, #\w{6})\)", sheet))
    in_pages = {
        theme: {colour: pairs[name].split(", ")[place] for colour, name in VARIABLES.items()}
        for place, theme in enumerate(("light", "dark"))
    }
    return {**in_pages, "file": {colour: colour for colour in VARIABLES}}


THEMED = themed()


def alike(colours: Sequence[str]) -> Iterator[tuple[str, str, str, str, float]]:
    """(theme, vision, two colours, their distance) of those that are too near to each other."""
    for theme in THEMED:
        for vision in VISIONS:
            for pair in combinations(dict.fromkeys(colours), 2):
                distance = apart(*(THEMED[theme][colour] for colour in pair), vision)
                if distance < ENOUGH:
                    yield theme, vision, *pair, round(distance, 1)


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.9030),
    ],
)
def test_the_difference_is_that_of_the_published_pairs(
    one: tuple[float, ...], other: tuple[float, ...], difference: float
) -> None:
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(difference, abs=1e-4)


def test_red_and_green_of_one_lightness_are_alike_to_who_lacks_a_cone() -> None:
    assert apart("#c04040", "#4f7f30") > 40
    assert apart("#c04040", "#4f7f30", "deuteranopia") < 15
    assert apart("#c04040", "#4f7f30", "tritanopia") > 40


def test_series_differ_in_colour() -> None:
    assert list(alike(HUES)) == []


def test_series_differ_in_marker_or_dash_as_well() -> None:
    found = styles(
        {
            f"{group} {execution}": (group, execution)
            for group in ("torch", "tensorflow", "jax", "a", "b", "c")
            for execution in ("eager", "compiled", "compiled-xla")
        }
    )
    without_colour = {(style.marker, style.dash) for style in found.values()}
    assert len(without_colour) == len(found)


def test_no_two_of_very_many_sources_look_alike() -> None:
    found = styles({str(number): (str(number), "eager") for number in range(len(HUES) ** 2)})
    assert len({(style.colour, style.marker) for style in found.values()}) == len(found)


def test_kinds_of_attention_differ_in_colour() -> None:
    assert list(alike([INK, MUTED, *(lines.COLOURS[kind] for kind in Kind)])) == []


def test_slower_and_faster_differ_in_a_history() -> None:
    assert list(alike([history._SLOWER, history._FASTER, INK, MUTED])) == []
